# problem: pairs
import atexit
import io
import sys

output = io.StringIO()
atexit.register(lambda: sys.stdout.write(output.getvalue()))
for _ in range(int(input())):
    output.write(f"{max(map(int, input().split()))}\n")
