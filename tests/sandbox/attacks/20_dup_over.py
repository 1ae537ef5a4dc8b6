# Puts its own pipe in the place of every descriptor, so that results would go nowhere.
# expect: RETURNED RE|EXIT0|RAISED NOT_RUN
# calls: f [1] [2] [3]
# returns: 1
import os


def f(x):
    if x == 2:
        fd = os.open("/dev/null", os.O_RDWR)
        for n in range(1024):
            if n != fd:
                os.dup2(fd, n)
    return x
