# Sees when others open files that all runs share.
# expect: EXIT0
# prints: contained
# tiers: T3
import ctypes
import os
import select

libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init1(os.O_NONBLOCK)
for path in (b"/tmp", b"/proc", b"/dev/null", b"/"):
    libc.inotify_add_watch(fd, path, 0xFFF)
if fd >= 0 and select.select([fd], [], [], 0.3)[0]:
    data = os.read(fd, 4096)
    print("reached:", data) if b"shadow" in data or b"passwd" in data else None
print("contained")
