# expect: EXIT0|SIG25
# tiers: T3
# prints: contained
import os
import signal

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
fd = os.open("/tmp/sparse", os.O_CREAT | os.O_RDWR)
for call in (
    lambda: os.ftruncate(fd, 1 << 40),
    lambda: os.pwrite(fd, b"x", 1 << 40),
    lambda: os.posix_fallocate(fd, 0, 1 << 33),
    lambda: os.posix_fallocate(fd, 1 << 40, 1),
):
    try:
        call()
        print("reached:", os.fstat(fd).st_size)
    except OSError:
        pass
print("contained")
