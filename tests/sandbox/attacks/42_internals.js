// The doors that node keeps for itself.
// expect: EXIT0
// prints: contained
const attempts = {
  binding: () => process.binding('spawn_sync').spawn({ file: '/bin/cat', args: ['cat', '/etc/shadow'], stdio: [{ type: 'pipe', readable: true, writable: true }, { type: 'pipe', readable: true, writable: true }] }).output[1].toString(),
  tcp: () => { const { TCP, constants } = process.binding('tcp_wrap'); const s = new TCP(constants.SERVER); return s.bind('127.0.0.1', 0) === 0 && s.listen(1) === 0; },
  dlopen: () => { require('fs').writeFileSync('/tmp/evil.node', '\x7fELF'); process.dlopen({ exports: {} }, '/tmp/evil.node'); return true; },
  libc: () => { process.dlopen({ exports: {} }, '/lib/x86_64-linux-gnu/libc.so.6'); return true; },
  kill: () => [1, 2, 3, 4, 5].filter((pid) => pid !== process.pid).map((pid) => { try { return process.kill(pid, 'SIGKILL'); } catch { return false; } }).some(Boolean),
  parent: () => process.ppid !== 0 && process.kill(process.ppid, 'SIGKILL'),
  debug: () => { process._debugProcess(1); return true; },
  setuid: () => { process.setuid(0); return true; },
  inspector: () => { require('inspector').open(0, '127.0.0.1'); return require('inspector').url() !== undefined; },
  shadow: () => require('fs').readFileSync('/etc/shadow', 'utf8'),
  environment: () => Object.keys(process.env).some((name) => name.startsWith('NODE') || name.startsWith('TOUCHSTONE')),
  title: () => { process.title = 'touchstone-jail'; return false; },
};
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    if (attempt()) console.log('reached:', name);
  } catch {}
}
console.log('contained');
