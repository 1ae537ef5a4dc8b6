# A forked child comes back into the code that reports, in its parent's place.
# expect: RETURNED
# calls: f [1] [2] [3]
# returns: 1 2 3
import os


def f(x):
    return -1 if os.fork() == 0 else x
