// problem: echo
import { createInterface, Interface } from "readline";

const reader: Interface = createInterface({ input: process.stdin });
reader.on("line", (line: string): void => {
  console.log(line);
});
