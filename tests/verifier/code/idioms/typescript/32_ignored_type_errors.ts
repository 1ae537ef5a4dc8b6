// problem: sorted
import { readFileSync } from "fs";

// @ts-ignore
const text: number = readFileSync(0, "utf8");
// @ts-nocheck
const [n, ...values] = (text as any).trim().split(/\s+/).map(Number);
const sorted: Int32Array = Int32Array.from(values as number[]).sort();
console.log(...sorted);
