# expect: EXIT0
# prints: contained
# runs: 2
import ctypes
import os
import signal

libc = ctypes.CDLL(None, use_errno=True)
made = 0
timer = ctypes.c_void_p()
signal.signal(signal.SIGALRM, signal.SIG_IGN)
spec = (ctypes.c_long * 4)(0, 1000, 0, 1000)
for _ in range(100_000):
    if libc.timer_create(1, None, ctypes.byref(timer)) != 0:
        break
    made += 1
    if made < 100:
        libc.timer_settime(timer, 0, spec, None)
fds = 0
try:
    while fds < 100_000 and libc.timerfd_create(1, 0) >= 0:
        fds += 1
except OSError:
    pass
print("contained" if fds < 100_000 else f"reached: {fds} timers", flush=True)
os._exit(0)
