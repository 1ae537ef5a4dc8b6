# expect: RETURNED EXIT0 NOT_RUN
# calls: f [1] [2] [3]
# returns: 1
import os


def f(x):
    if x == 2:
        os.execv("/bin/true", ["true"])
    return x
