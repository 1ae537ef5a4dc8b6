// problem: sum
const fs = require("fs");
const [n, ...values] = fs.readFileSync(0, "utf8").split(/\s+/).filter(Boolean).map(Number);
console.log(values.slice(0, n).reduce((a, b) => a + b, 0));
