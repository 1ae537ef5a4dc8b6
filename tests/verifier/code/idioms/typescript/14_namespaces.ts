// problem: fib
import { readFileSync } from "fs";

namespace Numbers {
  export const modulus: number = 1_000_000_007;
  export function fibonacci(n: number): number {
    let a = 0;
    let b = 1;
    while (n-- > 0) [a, b] = [b, (a + b) % modulus];
    return a;
  }
}

console.log(Numbers.fibonacci(parseInt(readFileSync(0, "utf8"))));
