// problem: sorted
const [n, ...values] = require("fs").readFileSync(0, "utf8").split(/\s+/).filter((s) => s).map(Number);
const sorted = Int32Array.from(values.slice(0, n)).sort();
for (const value of sorted) process.stdout.write(value + " ");
process.stdout.write("\r\n");
