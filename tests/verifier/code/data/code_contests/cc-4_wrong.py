import sys
from math import gcd

numbers = list(map(int, sys.stdin.read().split()))[1:]
pairs = list(zip(numbers[::2], numbers[1::2], strict=False))
common = 0
for a, b in pairs:
    common = gcd(common, a * b)


def shrink(value):
    for pair in pairs:
        for number in pair:
            part = gcd(value, number)
            if part > 1:
                value = part
                break
    return value


print(common if common > 1 else -1)
