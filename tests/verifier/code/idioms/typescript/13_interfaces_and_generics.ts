// problem: sorted
import { readFileSync } from "fs";

interface Comparator<T> {
  (a: T, b: T): number;
}

class Heap<T> {
  private readonly items: T[] = [];
  constructor(private readonly compare: Comparator<T>) {}

  push(item: T): this {
    this.items.push(item);
    for (let i = this.items.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (this.compare(this.items[parent], this.items[i]) <= 0) break;
      [this.items[parent], this.items[i]] = [this.items[i], this.items[parent]];
      i = parent;
    }
    return this;
  }

  pop(): T | undefined {
    const top = this.items[0];
    const last = this.items.pop()!;
    if (this.items.length) {
      this.items[0] = last;
      for (let i = 0; ; ) {
        let least = i;
        for (const child of [2 * i + 1, 2 * i + 2])
          if (child < this.items.length && this.compare(this.items[child], this.items[least]) < 0) least = child;
        if (least === i) break;
        [this.items[least], this.items[i]] = [this.items[i], this.items[least]];
        i = least;
      }
    }
    return top;
  }
}

const [n, ...values] = readFileSync(0, "utf8").split(/\s+/).filter((s) => !!s).map(Number);
const heap = new Heap<number>((a, b) => a - b);
values.slice(0, n).forEach((value) => heap.push(value));
for (let value: number | undefined; (value = heap.pop()) !== undefined; ) process.stdout.write(`${value} `);
