# problem: pairs
import sys

sys.stdout.reconfigure(newline="\r\n")
for _ in range(int(input())):
    print(max(int(x) for x in input().split()))
