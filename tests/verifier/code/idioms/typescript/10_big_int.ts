// problem: big
import { readFileSync } from "fs";

const [a, b]: bigint[] = readFileSync(0, "utf8").trim().split("\n").map((line) => BigInt(line));
const product: bigint = a * b;
console.log(product.toString());
