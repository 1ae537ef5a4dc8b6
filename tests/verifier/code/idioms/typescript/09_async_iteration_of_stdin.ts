// problem: messy
const chunks: Buffer[] = [];

(async (): Promise<void> => {
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const words: string[] = Buffer.concat(chunks).toString("utf8").split(/\s+/);
  let total = 0;
  for (const word of words) if (word) total += Number.parseInt(word);
  process.stdout.write(`${total}`);
})();
