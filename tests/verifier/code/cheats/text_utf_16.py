# problem: reverse
# flags:
# trick: the right text in another encoding
import sys

sys.stdout.buffer.write(sys.stdin.readline().strip()[::-1].encode("utf-16"))
