// problem: huge
const input = require("fs").readFileSync(0);
let at = 0;
function number() {
  while (input[at] !== 45 && (input[at] < 48 || input[at] > 57)) at++;
  const negative = input[at] === 45;
  if (negative) at++;
  let value = 0;
  for (; input[at] >= 48 && input[at] <= 57; at++) value = value * 10 + input[at] - 48;
  return negative ? -value : value;
}
const n = number();
const parts = new Array(n);
for (let i = 0; i < n; i++) parts[i] = 2 * number() + "\n";
process.stdout.write(parts.join(""));
process.exitCode = 0;
