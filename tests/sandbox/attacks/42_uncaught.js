// expect: CPU|MLE
// limits: cpu=0.6 wall=4
process.on('uncaughtException', () => { setImmediate(() => { throw 1; }); });
throw 1;
