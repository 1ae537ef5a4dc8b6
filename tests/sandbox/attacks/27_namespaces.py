# expect: EXIT0
# prints: contained
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000, 0x80):
    if libc.unshare(flag) == 0:
        print("reached: unshare", hex(flag))
for name in ("mnt", "pid", "net", "user", "ipc", "uts", "cgroup", "time"):
    for pid in ("self", "1", "2"):
        try:
            fd = os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY)
            if libc.setns(fd, 0) == 0:
                print("reached: setns", pid, name)
        except OSError:
            pass
for kind in (b"proc", b"tmpfs", b"sysfs", b"cgroup2", b"overlay", b"devpts", None):
    if libc.mount(b"none", b"/tmp", kind, 4096 if kind is None else 0, None) == 0:
        print("reached: mount", kind)
for target in (b"/tmp", b"/proc", b"/usr", b"/"):
    if libc.umount2(target, 2) == 0:
        print("reached: umount", target)
    if libc.mount(None, target, None, 32 | 4096, None) == 0:
        print("reached: remount", target)
if libc.chroot(b"/tmp") == 0:
    print("reached: chroot")
print("contained")
