# expect: RETURNED EXIT0 NOT_RUN
# calls: f [1] [2] [3]
# returns: 1
import os
import threading
import time


def f(x):
    if x == 2:
        threading.Thread(target=os._exit, args=(0,)).start()
        time.sleep(9)
    return x
