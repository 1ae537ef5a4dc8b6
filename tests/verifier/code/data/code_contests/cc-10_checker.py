"""Accepts any moves that take as many elements, in strictly increasing order."""

import sys

given, output, answer = (open(path).read().split() for path in sys.argv[1:4])  # noqa: SIM115
if len(output) != 2 or output[0] != answer[0] or len(output[1]) != int(answer[0]):
    sys.exit(1)
row, last = list(map(int, given[1:])), 0
for move in output[1]:
    if move not in "LR" or not row:
        sys.exit(1)
    taken = row.pop(0 if move == "L" else -1)
    if taken <= last:
        sys.exit(1)
    last = taken
sys.exit(0)
