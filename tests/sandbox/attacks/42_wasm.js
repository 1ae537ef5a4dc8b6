// Memory of another kind.
// expect: MLE|RE|EXIT0
// prints: contained
// limits: memory=128M
const all = [];
try {
  for (;;) {
    const one = new WebAssembly.Memory({ initial: 256, maximum: 65536 });
    new Uint8Array(one.buffer).fill(1);
    all.push(one);
    if (all.length > 100) { console.log('reached: 1.6 GiB'); break; }
  }
} catch (error) {
  all.length = 0;
  console.log('contained');
}
