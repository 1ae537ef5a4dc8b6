// expect: EXIT1|SIG11|MLE
// never_prints: reached
// limits: cpu=4
function deep(n) { return deep(n + 1) + 1; }
console.log('reached', deep(0));
