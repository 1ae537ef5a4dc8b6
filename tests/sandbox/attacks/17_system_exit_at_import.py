# expect: EXIT0 NOT_RUN NOT_RUN
# calls: f [1] [2] [3]
import sys


def f(x):
    return x


sys.exit(0)
