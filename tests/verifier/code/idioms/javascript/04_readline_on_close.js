// problem: sum
const rl = require("readline").createInterface({ input: process.stdin, output: process.stdout, terminal: false });
const lines = [];
rl.on("line", line => lines.push(line)).on("close", () => {
  const n = +lines[0];
  let sum = 0;
  for (const x of lines[1].split(" ").slice(0, n)) sum += +x;
  console.log(sum);
  process.exit(0);
});
