# problem: deep
import sys
from functools import lru_cache

sys.setrecursionlimit(300000)


@lru_cache(maxsize=None)
def climb(n):
    return 0 if n == 0 else climb(n - 1) + n


print(climb(int(input())))
