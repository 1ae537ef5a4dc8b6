// problem: words
import { readFileSync } from "fs";

const counts: Record<string, number | undefined> = {};
for (const word of readFileSync(0, "utf8").split(/\s+/)) {
  if (word?.length) counts[word] = (counts[word] ?? 0) + 1;
}
Object.keys(counts)
  .sort()
  .forEach((word: string): void => console.log(word, counts[word]!));
