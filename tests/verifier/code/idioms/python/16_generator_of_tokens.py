# problem: sum
import sys


def tokens():
    for line in sys.stdin:
        yield from line.split()


stream = tokens()
print(sum(int(next(stream)) for _ in range(int(next(stream)))))
