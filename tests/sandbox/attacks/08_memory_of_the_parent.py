# Whatever the interpreter's memory holds of the requests before this one, or of the server.
# expect: EXIT0
# tiers: T3
# prints: contained
# limits: cpu=3
import ctypes
import re

needle = b"canary" + b"-"
for line in open("/proc/self/maps"):
    found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
    if found:
        start, end = (int(one, 16) for one in found.groups())
        data = ctypes.string_at(start, min(end - start, 64 << 20))
        for at in re.finditer(re.escape(needle) + rb"[0-9a-f]{16}", data):
            print("reached:", at.group())
print("contained")
