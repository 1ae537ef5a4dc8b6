// problem: sorted
(async () => {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const [, line = ""] = Buffer.concat(chunks).toString().split("\n");
  console.log(line.trim().split(" ").map(Number).sort((a, b) => a - b).join(" "));
})();
