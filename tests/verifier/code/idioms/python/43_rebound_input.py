# problem: pairs
import sys

input = sys.stdin.readline
print = sys.stdout.write
for _ in range(int(input())):
    a, b = input().split()
    print(f"{max(int(a), int(b))}\n")
