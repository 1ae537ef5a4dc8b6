// problem: messy
import { readFileSync } from "fs";

type Token = { kind: "number"; value: number } | { kind: "blank" };

function token(word: string): Token {
  return word === "" ? { kind: "blank" } : { kind: "number", value: Number(word) };
}

function valueOf(token: Token): number {
  switch (token.kind) {
    case "number":
      return token.value;
    case "blank":
      return 0;
    default: {
      const never: never = token;
      return never;
    }
  }
}

console.log(readFileSync(0, "utf8").split(/\s/).map(token).map(valueOf).reduce((a, b) => a + b, 0));
