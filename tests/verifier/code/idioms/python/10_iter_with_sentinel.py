# problem: echo
import sys

for line in iter(sys.stdin.readline, ""):
    sys.stdout.write(line.rstrip("\n") + "\n")
