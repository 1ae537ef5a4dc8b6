// expect: RE|CPU|WALL|MLE
// limits: cpu=1 wall=3
const { Worker } = require('worker_threads');
for (let n = 0; n < 1000; n++) new Worker('setInterval(() => {}, 1000)', { eval: true });
