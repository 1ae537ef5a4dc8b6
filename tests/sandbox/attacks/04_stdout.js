// expect: OLE
// limits: output=100K
const text = 'x'.repeat(65536);
for (;;) require('fs').writeSync(1, text);
