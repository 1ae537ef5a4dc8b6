# Threads of one call print, burn and wait in the time of the next.
# expect: RETURNED
# calls: f [1] [2] [3]
# returns: 1 2 3
import threading
import time


def f(x):
    threading.Thread(target=time.sleep, args=(60,)).start()
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    return x
