// Verifies items over gRPC straight from the contract's .proto file, without a line of Python.
//
// node client.cjs PROTO_FOLDER ADDRESS < {"items": [...]}: prints the verdicts in the items'
// order, and what Describe tells, as JSON.
"use strict";

const fs = require("node:fs");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const [folder, address] = process.argv.slice(2);
const contract = loader.loadSync("verifier/v1/verifier.proto", {
  includeDirs: [folder],
  keepCase: true,
  enums: String,
  longs: Number,
  oneofs: true,
  defaults: true, // of plain fields; one that may be absent stays absent
});
const { Verifier } = grpc.loadPackageDefinition(contract).verifier.v1;
const client = new Verifier(address, grpc.credentials.createInsecure());
const deadline = () => ({ deadline: Date.now() + 60_000 });

const describe = () =>
  new Promise((resolve, reject) =>
    client.Describe({}, deadline(), (error, told) => (error ? reject(error) : resolve(told))),
  );

const verifyBatch = (items) =>
  new Promise((resolve, reject) => {
    const verdicts = new Array(items.length).fill(null);
    client
      .VerifyBatch({ items }, deadline())
      .on("data", (message) => {
        for (const { index, verdict } of message.verdicts) {
          if (verdicts[index] !== null) reject(new Error(`index ${index} twice`));
          verdicts[index] = verdict;
        }
      })
      .on("error", reject)
      .on("end", () => resolve(verdicts));
  });

const verifyStream = (items) =>
  new Promise((resolve, reject) => {
    const found = [];
    const call = client.VerifyStream(deadline());
    call
      .on("data", (message) => found.push(...message.verdicts))
      .on("error", reject)
      .on("end", () =>
        resolve(found.sort((one, other) => one.index - other.index).map((each) => each.verdict)),
      );
    for (const item of items) call.write({ items: [item] });
    call.end();
  });

const refusal = (items) =>
  verifyBatch(items).then(
    () => null,
    (error) => ({ code: error.code, details: error.details }),
  );

async function main() {
  const { items } = JSON.parse(fs.readFileSync(0, "utf8"));
  const told = await describe();
  const batch = await verifyBatch(items);
  const stream = await verifyStream(items);
  const refused = await refusal(new Array(told.limits.batch_items + 1).fill({}));
  console.log(JSON.stringify({ told, batch, stream, refused }));
  client.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
