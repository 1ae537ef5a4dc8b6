# expect: EXIT0
# prints: contained
import os
import signal

for pid in (os.getppid(), 1, 2):
    try:
        group = os.getpgid(pid)
    except OSError:
        continue
    if group < 2:  # it lies outside, or it is everybody
        continue
    if group == os.getpgrp():
        print("reached: shares its group with", pid)
    try:
        os.killpg(group, signal.SIGSTOP)
        print("reached:", group)
    except OSError:
        pass
for pid in (1, 2, 3, os.getppid()):
    try:
        os.setpgid(0, pid)
        print("reached: joined the group of", pid) if pid != os.getpid() else None
    except OSError:
        pass
print("contained")
