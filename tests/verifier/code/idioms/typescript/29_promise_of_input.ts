// problem: mean
const read = (): Promise<string> =>
  new Promise<string>((resolve) => {
    const parts: string[] = [];
    process.stdin.on("data", (part: Buffer) => parts.push(part.toString()));
    process.stdin.on("end", () => resolve(parts.join("")));
  });

read()
  .then((text: string): number[] => text.trim().split(/\s+/).map(Number))
  .then(([n, ...values]: number[]) => values.reduce((a, b) => a + b, 0) / n)
  .then((mean: number) => console.log("%s", mean.toFixed(3)))
  .finally(() => process.stderr.write("done\n"));
