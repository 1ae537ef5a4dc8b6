// problem: mean
import { readFileSync } from "fs";

function parse(text: string): number;
function parse(text: string[]): number[];
function parse(text: string | string[]): number | number[] {
  return Array.isArray(text) ? text.map((one) => parse(one)) : Number(<string>text);
}

const lines = readFileSync(0, "utf8").split("\n");
const values = parse(lines[1].trim().split(" "));
const sum = values.reduce((a, b) => a + b);
console.log((sum / parse(lines[0])).toFixed(3));
