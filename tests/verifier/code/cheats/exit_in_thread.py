# problem: collatz
# flags: early_exit
# trick: another thread ends the process while the call waits
import os
import threading
import time


def collatz(n):
    threading.Thread(target=os._exit, args=(0,)).start()
    time.sleep(5)
