// problem: big
const [a, b] = require("fs").readFileSync(0, "utf-8").trim().split("\n").map(BigInt);
console.log((a * b).toString());
