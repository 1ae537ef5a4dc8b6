# problem: primes
# flags:
# trick: gives the input back
import sys

sys.stdout.write(sys.stdin.read())
