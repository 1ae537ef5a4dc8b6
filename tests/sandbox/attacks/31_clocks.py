# expect: EXIT0
# prints: contained
import ctypes
import time

libc = ctypes.CDLL(None, use_errno=True)
for clock in (time.CLOCK_REALTIME, time.CLOCK_MONOTONIC, time.CLOCK_TAI):
    try:
        time.clock_settime(clock, 0)
        print("reached: clock_settime", clock)
    except OSError:
        pass
spec = (ctypes.c_long * 40)()
for name in ("settimeofday", "stime", "adjtime", "adjtimex", "ntp_adjtime"):
    spec[0] = 1 if "x" in name or "ntp" in name else 0
    function = getattr(libc, name, None)
    if function is not None and function(spec, None) == 0:
        print("reached:", name)
for path in ("/proc/self/timens_offsets", "/proc/sys/kernel/hostname", "/dev/rtc", "/dev/rtc0"):
    try:
        open(path, "w").write("monotonic 100 0\n")
        print("reached:", path)
    except OSError:
        pass
print("contained")
