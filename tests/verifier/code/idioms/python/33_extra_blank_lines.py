# problem: sorted
import sys

n = int(sys.stdin.readline())
for value in sorted(map(int, sys.stdin.readline().split())):
    print(value, end="  ")
print("\n\n   \n")
