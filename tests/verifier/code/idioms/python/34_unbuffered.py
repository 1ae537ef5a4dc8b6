# problem: echo
import io
import sys

sys.stdout = io.TextIOWrapper(open(1, "wb", 0), encoding="utf-8", write_through=True)
for line in sys.stdin:
    print(line.rstrip("\r\n"), flush=True)
