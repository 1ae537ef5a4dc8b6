# problem: squares
# flags:
# trick: prints a prefix of the right output without its last character
n = int(input())
print("\n".join(str(i * i) for i in range(1, n + 1))[:-1], end="")
