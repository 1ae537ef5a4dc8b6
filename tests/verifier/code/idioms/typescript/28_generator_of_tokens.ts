// problem: sum
import { readFileSync } from "fs";

function* tokens(text: string): Generator<number, void, undefined> {
  for (const match of text.matchAll(/\S+/g)) yield Number(match[0]);
}

const stream: Iterator<number> = tokens(readFileSync(0, "utf8"));
let left: number = stream.next().value;
let sum: number = 0;
while (left-- > 0) sum += stream.next().value as number;
console.log(sum + "\n\n");
