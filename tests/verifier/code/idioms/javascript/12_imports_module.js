// problem: fib
import { readFileSync } from "node:fs";
import * as process from "process";

const n = Number(readFileSync(process.stdin.fd, "utf8"));
let [a, b] = [0, 1];
for (let i = 0; i < n; i++) [a, b] = [b, (a + b) % 1000000007];
console.log(a);
