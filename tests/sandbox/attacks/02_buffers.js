// Outside of the heap that V8 watches over.
// expect: MLE|RE
// limits: memory=128M
const all = [];
for (;;) all.push(Buffer.alloc(1 << 20, 1));
