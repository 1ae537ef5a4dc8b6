# A lock on a file that all runs see is a mailbox.
# expect: EXIT0
# prints: contained
# runs: 3
import fcntl
import os

for path in ("/bin/sh", "/usr/bin/env", "/usr/lib", "/dev/null", "/", "/tmp", "/box", "/proc"):
    try:
        fd = os.open(path, os.O_RDONLY)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("reached:", path)
    except OSError:
        pass
if os.fork() == 0:
    os.setsid()
    __import__("time").sleep(60)
print("contained")
