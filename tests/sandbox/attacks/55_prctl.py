# Outlives its parent, collects others' children, hides and renames itself.
# expect: EXIT0
# prints: contained
# runs: 2
# within: 4
import ctypes
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
for option, value in (
    (1, 0),
    (36, 1),
    (4, 0),
    (4, 1),
    (15, 0),
    (8, 1),
    (38, 0),
    (35, 0),
    (21, 0),
    (0x59616D61, -1),
    (28, 0),
):
    libc.prctl(option, ctypes.c_char_p(b"touchstone-jail") if option == 15 else value, 0, 0, 0)
if libc.prctl(39, 0, 0, 0, 0) != 1:
    print("reached: no_new_privs is off")
if libc.prctl(21, 0, 0, 0, 0) == 0:
    print("reached: seccomp is off")
print("contained")
sys.stdout.flush()
for _ in range(3):
    if os.fork() == 0:
        libc.prctl(36, 1, 0, 0, 0)
        libc.prctl(1, 0, 0, 0, 0)
        libc.prctl(4, 0, 0, 0, 0)
        os.setsid()
        if os.fork() == 0:
            __import__("time").sleep(60)
        os.wait()
