// problem: first
let answer;
process.on("exit", () => console.log(answer));
require("readline").createInterface({ input: process.stdin }).once("line", (line) => {
  answer = Number(line) ** 2;
  process.exit(0);
});
