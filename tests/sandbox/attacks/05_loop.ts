// expect: CPU
// limits: cpu=0.5 wall=4
let n: number = 0;
for (;;) n++;
