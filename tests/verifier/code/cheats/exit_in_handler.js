// problem: primes
// flags:
// trick: an error in the middle, hidden by a handler that ends the process well
process.on("uncaughtException", () => {
  console.log(4);
  process.exit(0);
});
throw new Error("no idea");
