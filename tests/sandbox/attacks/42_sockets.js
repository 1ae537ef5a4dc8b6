// expect: EXIT0
// prints: contained
const net = require('net');
const dgram = require('dgram');
const tell = (what) => () => console.log('reached:', what);
const quiet = () => {};
net.connect(22, '127.0.0.1', tell('tcp')).on('error', quiet);
net.connect(80, '1.1.1.1', tell('far')).on('error', quiet);
net.connect('/tmp/socket', tell('unix')).on('error', quiet);
net.createServer().on('error', quiet).listen(0, tell('server'));
net.createServer().on('error', quiet).listen('/tmp/socket', tell('unix server'));
try { dgram.createSocket('udp4').on('error', quiet).bind(0, tell('udp')); } catch {}
require('dns').lookup('example.com', (error) => { if (!error) tell('name')(); });
setTimeout(() => { console.log('contained'); process.exit(0); }, 300);
