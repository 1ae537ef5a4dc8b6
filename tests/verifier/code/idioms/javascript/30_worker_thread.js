// problem: sum
const { Worker, isMainThread, parentPort, workerData } = require("worker_threads");

if (isMainThread) {
  const text = require("fs").readFileSync(0, "utf8");
  new Worker(__filename, { workerData: text }).on("message", (sum) => console.log(sum));
} else {
  const [n, ...values] = workerData.split(/\s+/).filter(Boolean).map(Number);
  parentPort.postMessage(values.slice(0, n).reduce((a, b) => a + b, 0));
}
