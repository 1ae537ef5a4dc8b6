"""Accepts any number above 1 that divides one of each pair; -1 where there is none."""

import sys

given, output, answer = (open(path).read().split() for path in sys.argv[1:4])  # noqa: SIM115
numbers = list(map(int, given))[1:]
pairs = list(zip(numbers[::2], numbers[1::2], strict=False))
if len(output) != 1 or not output[0].lstrip("-").isdigit():
    sys.exit(2)
value = int(output[0])
if value == -1 or answer == ["-1"]:
    sys.exit(0 if output == answer else 1)
sys.exit(0 if value > 1 and all(a % value == 0 or b % value == 0 for a, b in pairs) else 1)
