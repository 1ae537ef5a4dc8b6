# problem: primes
# flags:
# trick: goes on printing numbers after the one that could be right
n = int(input())
for count in range(n):
    print(count)
