# expect: EXIT0
# prints: contained
# runs: 2
# limits: cpu=4
import os

n = 0
try:
    while n < 1_000_000:
        open(f"/tmp/{n}", "w").close()
        n += 1
except OSError:
    pass
print("contained" if n < 1_000_000 else "reached: 1000000 files", flush=True)
os._exit(0)
