// problem: mean
async function read() {
  return new Promise((resolve, reject) => {
    require("fs").readFile("/dev/stdin", "utf8", (error, text) => (error ? reject(error) : resolve(text)));
  });
}

async function main() {
  const [n, ...values] = (await read()).trim().split(/\s+/).map(parseFloat);
  console.log((values.reduce((a, b) => a + b) / n).toFixed(3));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
