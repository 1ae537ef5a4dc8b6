# problem: fib
import sys

sys.setrecursionlimit(5000)
memory = {}
fib = lambda n: n if n < 2 else memory.get(n) or memory.setdefault(n, (fib(n - 1) + fib(n - 2)) % 1000000007)
print(fib(int(input())))
