# Nothing that runs later changes what was told.
# expect: RETURNED
# calls: f [1] [2] [3]
# returns: 1 2 3
import atexit
import os
import signal
import sys
import threading
import weakref


class Last:
    def __del__(self):
        os.write(3, b"forged")


keep = Last()
weakref.finalize(keep, print, "finalised")
atexit.register(lambda: [os.write(fd, b"forged") for fd in range(3, 9)])
sys.excepthook = sys.unraisablehook = threading.excepthook = lambda *a: os._exit(3)
for n in (signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD, signal.SIGPIPE):
    signal.signal(n, lambda *a: os._exit(3))


def f(x):
    return x
