# problem: fib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    low: int
    high: int

    def step(self) -> "Pair":
        return Pair(self.high, (self.low + self.high) % 1_000_000_007)


pair = Pair(0, 1)
match input().split():
    case [count]:
        for _ in range(int(count)):
            pair = pair.step()
print(pair.low)
