# problem: sorted
import os
import sys

count = int(sys.stdin.readline())
values = sorted(map(int, sys.stdin.readline().split()))
print(" ".join(map(str, values)))
sys.stdout.flush()
os._exit(0)
