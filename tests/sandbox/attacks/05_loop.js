// expect: CPU
// limits: cpu=0.5 wall=4
for (;;);
