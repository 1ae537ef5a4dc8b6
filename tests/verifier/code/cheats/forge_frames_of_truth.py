# problem: is_square
# flags: introspection
# trick: the same with texts that compare as more than one value
import os
import struct
import sys


def is_square(n):
    frame = sys._getframe(1)
    nonce = frame.f_locals["nonce"]
    texts = [b"true", b"[true, false]", b"NaN", b'{"a": true, "a": false}', b"1", b"1e0", b"\xff", b"true\nfalse"]
    data = b""
    for index in range(len(frame.f_locals["calls"])):
        text = texts[index % len(texts)]
        data += nonce + struct.pack("<IcQQI", index, b"R", 0, 0, len(text)) + text
    os.write(3, data)
    os._exit(0)
