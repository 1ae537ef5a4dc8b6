// What it changes is its own; the next run finds everything as it was.
// expect: EXIT0
// prints: contained
// runs: 2
// submissions: 2
if (globalThis.touched || require('fs').touched || JSON.touched) console.log('reached');
console.log('contained');
globalThis.touched = require('fs').touched = JSON.touched = true;
console.log = process.stdout.write = JSON.stringify = () => true;
for (const path of ['/tmp/node_modules/fs.js', '/tmp/package.json', '/box/package.json', '/box/node_modules/fs.js', '/tmp/.noderc']) {
  try {
    require('fs').mkdirSync(require('path').dirname(path), { recursive: true });
    require('fs').writeFileSync(path, '{"type": "module", "main": "evil.js"}');
  } catch {}
}
