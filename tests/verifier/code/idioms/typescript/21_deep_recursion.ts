// problem: deep
import { readFileSync } from "fs";

function climb(n: number): number {
  if (n === 0) return 0;
  return n + climb(n - 1);
}

console.log(climb(Number(readFileSync(0, "utf8").trim())));
