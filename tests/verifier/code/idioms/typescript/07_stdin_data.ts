// problem: messy
let input: string = "";
process.stdin.setEncoding("utf-8");
process.stdin.on("data", (chunk: string) => {
  input += chunk;
});
process.stdin.on("end", () => {
  const found: RegExpMatchArray | null = input.match(/-?\d+/g);
  console.log((found ?? []).map(Number).reduce((a, b) => a + b, 0));
});
