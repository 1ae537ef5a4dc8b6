// Asynchronous writes queue up in its own memory.
// expect: OLE|MLE
// limits: output=100K memory=256M
const text = 'x'.repeat(65536);
(function again() {
  for (let n = 0; n < 100; n++) process.stdout.write(text);
  setImmediate(again);
})();
