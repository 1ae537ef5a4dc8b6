# problem: sum
class Solution:
    def __init__(self) -> None:
        self.n = 0
        self.values: list[int] = []

    def read(self) -> "Solution":
        self.n = int(input().strip())
        self.values = [int(x) for x in input().strip().split()]
        return self

    def solve(self) -> int:
        total = 0
        for i in range(self.n):
            total += self.values[i]
        return total


if __name__ == "__main__":
    print(Solution().read().solve())
