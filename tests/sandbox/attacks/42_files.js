// expect: EXIT0
// prints: contained
// runs: 2
const fs = require('fs');
for (const path of ['/etc/shadow', '/etc/passwd', '/proc/1/environ', '/proc/1/maps', '/root/.bashrc', '/dev/vda', '/proc/kcore']) {
  try { if (fs.readFileSync(path).length) console.log('reached:', path); } catch {}
}
for (const path of ['/', '/usr', '/etc', '/box', '/dev', '/bin', '/proc', '/root', '/var/tmp']) {
  try { fs.writeFileSync(path + '/new', 'x'); console.log('reached: wrote', path); } catch {}
}
for (const path of ['/box', '/usr/bin', __filename]) {
  try { fs.rmSync(path, { recursive: true }); console.log('reached: removed', path); } catch {}
}
console.log('contained');
