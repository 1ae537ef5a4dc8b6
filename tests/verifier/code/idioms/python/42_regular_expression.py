# problem: messy
import re
import sys

print(sum(int(m.group()) for m in re.finditer(r"-?\d+", sys.stdin.read())))
