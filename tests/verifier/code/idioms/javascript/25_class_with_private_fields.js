// problem: words
class Counter {
  #counts = Object.create(null);
  static of(text) {
    const counter = new Counter();
    text.split(/\s+/).forEach((word) => word && counter.add(word));
    return counter;
  }
  add(word) {
    this.#counts[word] = (this.#counts[word] || 0) + 1;
  }
  get lines() {
    return Object.entries(this.#counts).map((entry) => entry.join(" ")).sort();
  }
}

const lines = Counter.of(require("fs").readFileSync(0, { encoding: "utf8" })).lines;
if (lines.length) console.log(lines.join("\n"));
