// Never comes back to the event loop.
// expect: CPU|MLE
// limits: cpu=0.6 wall=4
process.on('SIGTERM', () => {});
process.on('SIGXCPU', () => {});
(function again() { process.nextTick(again); })();
