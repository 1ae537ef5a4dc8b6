// problem: sorted
import * as readline from 'readline';

const rl: readline.Interface = readline.createInterface({ input: process.stdin, output: process.stdout, terminal: false });
const lines: Array<string> = [];
rl.on('line', (input: string) => lines.push(input));
rl.on('close', () => {
  const numbers: Array<number> = lines[1].trim().split(' ').map((x) => parseInt(x, 10));
  numbers.sort((x, y) => x - y);
  process.stdout.write(numbers.join(' ') + '\n');
});
