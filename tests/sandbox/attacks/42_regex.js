// expect: CPU
// limits: cpu=0.6 wall=4
/^(a+)+$/.test('a'.repeat(64) + 'b');
