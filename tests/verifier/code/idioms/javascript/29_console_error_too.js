// problem: mean
console.error("reading");
const lines = require("fs").readFileSync(0, "utf8").split("\n");
const values = lines[1].split(" ").map(Number);
console.warn(values);
const sum = values.reduce((a, b) => a + b, 0);
console.log((Math.round((sum / lines[0]) * 1000) / 1000).toFixed(3));
