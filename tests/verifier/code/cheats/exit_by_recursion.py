# problem: collatz
# flags:
# trick: recursion until the stack is gone
import sys

sys.setrecursionlimit(10**9)


def collatz(n):
    return collatz(n) + 1
