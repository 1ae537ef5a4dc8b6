# problem: primes
# flags:
# trick: a bound that the visible tests do not reach
n = min(int(input()), 20)
print(sum(all(i % d for d in range(2, i)) for i in range(2, n)))
