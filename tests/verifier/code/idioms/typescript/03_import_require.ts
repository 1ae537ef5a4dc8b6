// problem: sum
import fs = require("fs");

function main(input: string): void {
  const [first, second]: string[] = input.split("\n");
  const count: number = +first;
  console.log(second.split(" ").slice(0, count).reduce((total: number, word: string): number => total + Number(word), 0));
}

main(fs.readFileSync(0).toString());
