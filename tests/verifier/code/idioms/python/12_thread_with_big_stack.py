# problem: deep
import sys
import threading

sys.setrecursionlimit(1 << 20)
threading.stack_size(1 << 27)


def climb(n):
    if n == 0:
        return 0
    return n + climb(n - 1)


def main():
    print(climb(int(input())))


worker = threading.Thread(target=main)
worker.start()
worker.join()
