// problem: pairs
declare const require: any;
const lines: string[] = require("fs").readFileSync("/dev/stdin", "utf8").trim().split("\n");
const t = parseInt(lines[0]);
for (let i = 1; i <= t; i++) {
  const [a, b] = lines[i].split(" ").map(Number) as [number, number];
  console.log(Math.max(a, b));
}
