// problem: big
const { readFileSync } = require('fs');
const lines = readFileSync(0).toString().split(/\r?\n/);
let product = 1n;
for (const line of lines) if (line !== '') product *= BigInt(line);
process.stdout.write(`${product}\n`);
