# A child that survives its parent turns directories into links while they are removed.
# expect: EXIT0
# prints: contained
# runs: 2
import os
import sys

print("contained")
sys.stdout.flush()
if os.fork() == 0:
    os.setsid()
    for n in range(200):
        os.makedirs(f"/tmp/d{n}/e/f", exist_ok=True)
    while True:
        for n in range(200):
            try:
                os.rename(f"/tmp/d{n}/e", f"/tmp/d{n}/x")
                os.symlink("/usr", f"/tmp/d{n}/e")
                os.unlink(f"/tmp/d{n}/e")
                os.rename(f"/tmp/d{n}/x", f"/tmp/d{n}/e")
            except OSError:
                pass
