// expect: EXIT0
// prints:
// stdin: 0
// stdin: 1
// stdin: 2
const kind = require('fs').readFileSync(0, 'utf8');
if (kind === '0') process.exit(0);
if (kind === '1') process.reallyExit(0);
process.on('exit', () => process.reallyExit(0));
throw new Error('hidden');
