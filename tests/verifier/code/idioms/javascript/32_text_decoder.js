// problem: echo
const bytes = require("fs").readFileSync(0);
const text = new TextDecoder("utf-8").decode(bytes);
const lines = text.split("\n");
if (lines.at(-1) === "") lines.pop();
lines.forEach((line, i) => console.log(line.trimEnd()));
