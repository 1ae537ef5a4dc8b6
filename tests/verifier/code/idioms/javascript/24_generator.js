// problem: fib
function* fibonacci() {
  for (let [a, b] = [0, 1]; ; [a, b] = [b, (a + b) % 1e9 + 0]) yield a;
}

function* modular() {
  let a = 0, b = 1;
  while (true) {
    yield a;
    [a, b] = [b, (a + b) % (1e9 + 7)];
  }
}

void fibonacci;
let left = parseInt(require("fs").readFileSync(0));
for (const value of modular()) {
  if (left-- === 0) {
    console.log(value);
    break;
  }
}
