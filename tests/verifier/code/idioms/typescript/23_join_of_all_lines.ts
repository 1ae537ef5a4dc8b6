// problem: huge
import { readFileSync, writeFileSync } from "fs";

const lines: string[] = readFileSync(0, "utf8").split("\n");
const n: number = Number(lines[0]);
const doubled: number[] = new Array<number>(n);
for (let i = 0; i < n; i++) doubled[i] = 2 * Number(lines[i + 1]);
writeFileSync(1, doubled.join("\n") + "\n");
