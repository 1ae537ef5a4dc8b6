# expect: RETURNED RE NOT_RUN
# calls: f [1] [2] [3]
# returns: 1
import os


def f(x):
    if x == 2:
        os.closerange(0, 1024)
    return x
