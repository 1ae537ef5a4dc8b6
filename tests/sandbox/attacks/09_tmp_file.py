# expect: EXIT0
# tiers: T3
# prints: contained
# runs: 3
import os
import sys

sys.path.remove("/tmp") if "/tmp" in sys.path else None
places = ("/tmp", "/dev/shm", "/var/tmp", "/run", "/box", ".", "/")
for place in places:
    for name in ("note", ".note"):
        if os.path.exists(f"{place}/{name}"):
            print("reached:", place, name)
for place in places:
    for name in ("note", ".note"):
        try:
            open(f"{place}/{name}", "w").close()
        except OSError:
            pass
os.mkdir("/tmp/folder", 0o000)
print("contained")
