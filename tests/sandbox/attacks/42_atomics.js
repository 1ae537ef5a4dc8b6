// Sleeps where no event can wake it.
// expect: WALL
// limits: wall=0.8
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
