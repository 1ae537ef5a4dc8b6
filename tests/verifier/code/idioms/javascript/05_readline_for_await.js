// problem: words
const readline = require("node:readline");

async function main() {
  const counts = new Map();
  for await (const line of readline.createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    for (const word of line.split(" ")) {
      if (word) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  for (const [word, count] of [...counts].sort()) console.log(`${word} ${count}`);
}

main();
