# expect: EXIT0
# prints: contained
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
rt = ctypes.CDLL("librt.so.1", use_errno=True)
for number in range(300):
    if rt.mq_open(b"/q%d" % number, 0o102, 0o600, None) >= 0:
        print("reached: mq_open")
        break
for name, arguments in (
    ("msgget", (0, 0o1600)),
    ("semget", (0, 32, 0o1600)),
    ("shmget", (0, 1 << 20, 0o1600)),
):
    if getattr(libc, name)(*arguments) >= 0:
        print("reached:", name)
print("contained")
