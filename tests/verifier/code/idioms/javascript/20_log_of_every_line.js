// problem: pairs
const tokens = require("fs").readFileSync("/dev/stdin", "ascii").split(/\s+/);
let at = 0;
const next = () => parseInt(tokens[at++]);
for (let t = next(); t-- > 0; ) {
  console.log("%d", Math.max(next(), next()));
}
