// problem: huge
import * as fs from "fs";

class Reader {
  private at: number = 0;
  constructor(private readonly bytes: Uint8Array) {}

  next(): number {
    while (this.bytes[this.at] <= 32) this.at++;
    let sign = 1;
    if (this.bytes[this.at] === 45) {
      sign = -1;
      this.at++;
    }
    let value = 0;
    while (this.at < this.bytes.length && this.bytes[this.at] > 32) value = 10 * value + this.bytes[this.at++] - 48;
    return sign * value;
  }
}

const reader = new Reader(fs.readFileSync(0));
let held: string[] = [];
for (let n = reader.next(); n > 0; n--) {
  held.push(String(2 * reader.next()));
  if (held.length === 100000) {
    console.log(held.join("\n"));
    held = [];
  }
}
if (held.length > 0) console.log(held.join("\n"));
