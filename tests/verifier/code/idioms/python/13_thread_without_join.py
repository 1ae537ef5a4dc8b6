# problem: deep
import sys
from threading import Thread, stack_size

sys.setrecursionlimit(10**6)
stack_size(256 * 1024 * 1024 - 4096)


def total(n):
    return n and n + total(n - 1)


Thread(target=lambda: print(total(int(sys.stdin.readline())))).start()
