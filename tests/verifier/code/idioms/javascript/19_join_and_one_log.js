// problem: huge
const data = require("fs").readFileSync(0, "utf8").split("\n");
const n = Number(data[0]);
const out = [];
for (let i = 1; i <= n; i++) out.push(2 * data[i]);
console.log(out.join("\n"));
