// expect: RE|CPU|WALL|MLE|EXIT0
// never_prints: reached
// limits: cpu=1 wall=3
const cluster = require('cluster');
if (cluster.isPrimary) for (let n = 0; n < 200; n++) cluster.fork().on('error', () => {});
else require('http').createServer().listen(0, () => console.log('reached: a server'));
