# No other user, group or capability is to be had.
# expect: EXIT0
# tiers: T3
# prints: contained
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
for one in (0, 1, 65534):
    if one == os.getuid():
        continue
    for name in ("setuid", "setgid", "seteuid", "setegid"):
        try:
            getattr(os, name)(one)
            print("reached:", name, one)
        except OSError:
            pass
    for name in ("setresuid", "setresgid"):
        try:
            getattr(os, name)(one, one, one)
            print("reached:", name, one)
        except OSError:
            pass
    libc.setfsuid(one)
    if libc.setfsuid(-1) == one:
        print("reached: setfsuid", one)
try:
    os.setgroups([0])
    print("reached: setgroups")
except OSError:
    pass
status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
    if int(status[name], 16):
        print("reached:", name, status[name])
if status["NoNewPrivs"].strip() != "1":
    print("reached: new privileges")
for capability in range(41):
    if libc.prctl(47, 2, capability, 0, 0) == 0:
        print("reached: ambient", capability)
print("contained")
