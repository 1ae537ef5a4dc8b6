// expect: MLE|RE
// limits: memory=128M
const all: number[][] = [];
for (;;) all.push(new Array<number>(1 << 17).fill(all.length));
