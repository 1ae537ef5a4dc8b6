// Promises that are rejected faster than they are handled.
// expect: CPU|MLE|RE
// limits: cpu=1 memory=256M
process.on('unhandledRejection', () => { for (let n = 0; n < 10; n++) Promise.reject(new Error()); });
Promise.reject(new Error());
