# problem: huge
import sys

data = sys.stdin.buffer.read().split()
n = int(data[0])
sys.stdout.write("\n".join([str(2 * int(x)) for x in data[1 : n + 1]]))
