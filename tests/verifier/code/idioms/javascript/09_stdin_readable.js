// problem: messy
let text = "";
process.stdin.on("readable", () => {
  let chunk;
  while ((chunk = process.stdin.read()) !== null) text += chunk.toString("latin1");
});
process.stdin.once("end", () => {
  const total = text.split(/\s/).filter((word) => word.length).map((word) => word | 0).reduce((a, b) => a + b, 0);
  console.info(total);
});
