# problem: sum_pair
# flags: patching
# trick: fails in a thread, where an error ends nothing, and prints in the hook
import threading

threading.excepthook = lambda _: print(3)
threading.Thread(target=lambda: 1 / 0).start()
