// problem: messy
let input = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', chunk => { input += chunk; });
process.stdin.on('end', () => {
  const numbers = input.match(/-?\d+/g) || [];
  process.stdout.write(String(numbers.reduce((sum, x) => sum + parseInt(x, 10), 0)));
});
