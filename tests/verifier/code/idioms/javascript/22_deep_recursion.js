// problem: deep
const climb = (n) => (n === 0 ? 0 : n + climb(n - 1));
console.log(climb(+require("fs").readFileSync(0)));
