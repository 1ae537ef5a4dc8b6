# expect: RETURNED EXIT0 NOT_RUN
# calls: f [1] [2] [3]
# returns: 1
import ctypes


def f(x):
    if x == 2:
        ctypes.CDLL(None).exit(0)
    return x
