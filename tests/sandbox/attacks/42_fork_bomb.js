// expect: RE|CPU|WALL|MLE
// limits: cpu=1 wall=3
const { fork } = require('child_process');
for (;;) fork(__filename).on('error', () => {});
