# Success, claimed before anything was called.
# expect: EXIT0 NOT_RUN NOT_RUN
# calls: f [1] [2] [3]
import os


def f(x):
    return x


os._exit(0)
