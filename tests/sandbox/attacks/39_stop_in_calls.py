# expect: RETURNED WALL NOT_RUN
# calls: f [1] [2] [3]
# returns: 1
# limits: wall=0.4
import os
import signal


def f(x):
    if x == 2:
        os.kill(os.getpid(), signal.SIGSTOP)
    return x
