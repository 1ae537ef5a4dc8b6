// problem: pairs
import { readFileSync } from "fs";

enum Side {
  Left,
  Right = "right",
}

const enum Place {
  A = 0,
  B = 1,
}

type Pair = readonly [number, number];

const side = (pair: Pair): Side => (pair[Place.A] > pair[Place.B] ? Side.Left : Side.Right);
const lines = readFileSync(0, "utf8").split("\n");
const cases = Number(lines.shift());
for (const line of lines.slice(0, cases)) {
  const pair = line.split(" ").map(Number) as unknown as Pair;
  console.log(side(pair) === Side.Left ? pair[0] : pair[1]);
}
