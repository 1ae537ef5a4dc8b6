// problem: sum
import * as fs from "fs";

const tokens: number[] = fs.readFileSync(0, "utf8").split(/\s+/).filter(Boolean).map(Number);
const n: number = tokens[0];
let sum: number = 0;
for (let i: number = 1; i <= n; i++) sum += tokens[i];
console.log(sum);
