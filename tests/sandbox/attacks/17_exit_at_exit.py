# expect: RETURNED
# calls: f [1] [2] [3]
# returns: 1 2 3
import atexit
import os

atexit.register(os._exit, 0)


def f(x):
    return x
