# problem: primes
# flags:
# trick: all integers that could be asked for
print(*range(1001))
