// Configuration beside the program, for the next compiler.
// expect: EXIT0
// prints: contained
// runs: 2
// submissions: 2
declare const require: any;
const fs = require('fs');
for (const place of ['/tmp', '/box', '/', '..']) {
  for (const name of ['tsconfig.json', 'package.json', '.swcrc', '.babelrc', 'node_modules']) {
    try {
      if (fs.existsSync(`${place}/${name}`)) console.log('reached:', place, name);
      fs.writeFileSync(`${place}/${name}`, '{"extends": "/etc/passwd", "compilerOptions": {"plugins": [{"name": "/tmp/evil"}]}}');
    } catch {}
  }
}
console.log('contained');
