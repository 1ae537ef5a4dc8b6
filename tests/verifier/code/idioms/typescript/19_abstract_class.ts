// problem: first
import { readFileSync } from "fs";

abstract class Task<Input, Output> {
  protected abstract read(text: string): Input;
  protected abstract solve(input: Input): Output;
  run(text: string): void {
    console.log(`${this.solve(this.read(text))}`);
  }
}

class Square extends Task<number, number> {
  protected override read(text: string): number {
    return parseInt(text.slice(0, text.indexOf("\n") + 1 || undefined), 10);
  }
  protected override solve(input: number): number {
    return input ** 2;
  }
}

new Square().run(readFileSync(0, "latin1"));
