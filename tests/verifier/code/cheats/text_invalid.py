# problem: lcb_total
# flags:
# trick: invalid UTF-8, which decoders replace by a character that could equal itself
import sys

sys.stdout.buffer.write(b"\xff\xfe\xc0\x80\n" * 2)
