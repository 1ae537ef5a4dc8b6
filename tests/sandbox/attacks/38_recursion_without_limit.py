# expect: RE|MLE
# limits: memory=256M cpu=4
import sys
import threading

sys.setrecursionlimit(10**9)


class Deep:
    def __getattr__(self, name):
        return getattr(self, name + "x")


def c_stack():
    a = []
    for _ in range(10**7):
        a = [a]
    return repr(a)


threading.stack_size(512 << 20)
threading.Thread(target=c_stack).start()
c_stack()
