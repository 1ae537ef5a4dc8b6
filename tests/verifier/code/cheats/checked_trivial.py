# problem: divisor
# flags:
# trick: divisors that every number has
print(1)
print(input())
