# problem: pairs
import sys


def debug(*what):
    print(*what, file=sys.stderr)


t = int(input())
debug("cases:", t)
for case in range(t):
    a, b = map(int, input().split())
    debug(f"{case=} {a=} {b=}")
    print(a if a > b else b)
