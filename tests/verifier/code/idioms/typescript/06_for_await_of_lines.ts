// problem: words
import readline from "node:readline";

async function main(): Promise<void> {
  const counts: Map<string, number> = new Map<string, number>();
  for await (const line of readline.createInterface({ input: process.stdin })) {
    for (const word of line.split(/\s+/).filter((w): w is string => w.length > 0)) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  const entries: [string, number][] = Array.from(counts.entries());
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [word, count] of entries) console.log(`${word} ${count}`);
}

void main();
