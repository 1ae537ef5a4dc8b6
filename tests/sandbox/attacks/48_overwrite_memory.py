# Writes over all of the interpreter's memory that it can: the warm one's pages are not shared.
# expect: SIG11|SIG4|SIG7|SIG6|WALL|CPU
# tiers: T3
# limits: cpu=1 wall=2
# runs: 2
# submissions: 2
import ctypes

ranges = []
for line in open("/proc/self/maps"):
    span, mode = line.split()[:2]
    if mode.startswith("rw"):
        ranges.append([int(one, 16) for one in span.split("-")])
for start, end in ranges:
    ctypes.memset(start, 0x41, end - start)
