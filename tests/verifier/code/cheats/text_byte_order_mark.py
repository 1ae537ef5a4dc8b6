# problem: reverse
# flags:
# trick: a mark in front that decoders drop
import sys

sys.stdout.buffer.write(b"\xef\xbb\xbf" + sys.stdin.buffer.readline().strip()[::-1] + b"\n")
