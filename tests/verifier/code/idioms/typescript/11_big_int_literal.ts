// problem: big
import { readFileSync } from "node:fs";

let product = 1n;
readFileSync("/dev/stdin", "utf8")
  .split(/\r?\n/)
  .filter((line) => line !== "")
  .forEach((line) => (product *= BigInt(line)));
console.log(String(product));
