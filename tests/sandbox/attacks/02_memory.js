// expect: MLE|RE
// limits: memory=128M
const all = [];
for (;;) all.push(new Array(1 << 17).fill(all.length));
