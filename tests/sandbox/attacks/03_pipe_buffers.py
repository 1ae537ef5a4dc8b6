# Buffers of pipes are kernel memory; each may have 1 MiB. All are held full at once.
# expect: MLE|EXIT0
# prints: contained
# limits: memory=48M wall=4
import fcntl
import os

held = 0
try:
    while True:
        r, w = os.pipe()
        os.set_blocking(w, False)
        try:
            fcntl.fcntl(w, 1031, 1 << 20)
        except OSError:
            pass
        try:
            while True:
                held += os.write(w, bytes(1 << 16))
        except BlockingIOError:
            pass
except OSError:
    pass
print("reached: MiB held", held >> 20) if held > 300 << 20 else print("contained")
