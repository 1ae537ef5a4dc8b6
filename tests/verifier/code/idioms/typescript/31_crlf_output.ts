// problem: echo
import { readFileSync } from "fs";

const lines: string[] = readFileSync(0, { encoding: "utf8" }).split(/\r\n|\n/);
if (lines[lines.length - 1] === "") lines.pop();
process.stdout.write(lines.map((line: string): string => `${line}\r\n`).join(""));
