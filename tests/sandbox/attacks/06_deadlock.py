# expect: WALL
# limits: wall=0.4
import threading

a, b = threading.Lock(), threading.Lock()
ready = threading.Barrier(2)


def hold(first, second):
    with first:
        ready.wait()
        with second:
            pass


for pair in ((a, b), (b, a)):
    threading.Thread(target=hold, args=pair).start()
