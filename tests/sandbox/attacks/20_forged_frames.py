# Result frames made by guessing, on every descriptor and reopened ones.
# expect: RETURNED RAISED|RE NOT_RUN
# calls: f [1] [2] [3]
# returns: 1
import os
import struct


def f(x):
    if x == 2:
        frame = struct.pack("<IcQQI", 1, b"R", 1, 1, 2) + b"42"
        for fd in range(3, 1024):
            for text in (b"\0" * 8 + frame, frame, b'{"index": 1, "value": 42}\n'):
                try:
                    os.write(fd, text)
                except OSError:
                    pass
    return x
