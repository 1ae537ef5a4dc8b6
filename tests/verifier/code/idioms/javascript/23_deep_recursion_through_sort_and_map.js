// problem: deep
const n = Number(require("fs").readFileSync(0, "utf8"));
const children = Array.from({ length: n + 1 }, (_, i) => (i < n ? [i + 1] : []));
let sum = 0;
function visit(node) {
  sum += node;
  children[node].forEach((child) => visit(child));
}
visit(0);
console.log(sum);
