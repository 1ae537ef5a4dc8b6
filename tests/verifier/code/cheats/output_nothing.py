# problem: primes
# flags:
# trick: prints nothing and ends well
input()
