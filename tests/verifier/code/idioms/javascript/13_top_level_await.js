// problem: first
import readline from "node:readline/promises";

const lines = readline.createInterface({ input: process.stdin });
const { value } = await lines[Symbol.asyncIterator]().next();
const n = Number(value);
console.log(n * n);
process.exit();
