// problem: fib
import { readFileSync } from "fs";

function memoised(_target: any, _key: string, descriptor: PropertyDescriptor): PropertyDescriptor {
  const original = descriptor.value;
  const known = new Map<number, number>();
  descriptor.value = function (this: unknown, n: number): number {
    if (!known.has(n)) known.set(n, original.call(this, n));
    return known.get(n)!;
  };
  return descriptor;
}

class Fibonacci {
  @memoised
  at(n: number): number {
    return n < 2 ? n : (this.at(n - 1) + this.at(n - 2)) % (10 ** 9 + 7);
  }
}

console.log(new Fibonacci().at(Number(readFileSync(0))));
