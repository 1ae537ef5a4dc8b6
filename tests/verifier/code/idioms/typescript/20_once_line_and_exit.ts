// problem: first
import { createInterface } from "readline";

createInterface({ input: process.stdin }).once("line", (line: string): never => {
  const n: number = Number(line);
  console.error("read", n);
  console.log(n * n);
  process.exit(0);
});
