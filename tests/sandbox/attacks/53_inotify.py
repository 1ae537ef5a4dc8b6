# Watches on everything there is, and as many instances as there are descriptors.
# expect: EXIT0
# tiers: T3
# prints: contained
# runs: 2
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
instances = []
while (fd := libc.inotify_init1(0)) >= 0 and len(instances) < 5000:
    instances.append(fd)
watches = 0
for number in range(20_000):
    os.mkdir(f"/tmp/{number}") if number < 4000 else None
    if (
        instances
        and libc.inotify_add_watch(instances[0], f"/tmp/{number % 4000}".encode(), 0xFFF) < 0
    ):
        break
    watches += 1
print("contained" if len(instances) < 5000 else "reached: 5000 instances", flush=True)
os._exit(0)
