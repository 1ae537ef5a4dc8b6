# problem: sum_pair
# flags:
# trick: a thread that goes on printing while the interpreter shuts down
import threading
import time


def later():
    while True:
        print(3, flush=True)
        time.sleep(0.001)


threading.Thread(target=later, daemon=True).start()
time.sleep(0.01)
