// problem: hello
export default class Greeter {
  constructor(public readonly whom: string = "world") {}
  toString = (): string => "Hello, " + this.whom + "!";
}

export type { Greeter };

console.log(`${new Greeter()}`);
