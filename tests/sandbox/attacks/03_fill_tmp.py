# Files in memory are memory; what does not fit is refused.
# expect: MLE|EXIT0
# tiers: T3
# prints: contained
# limits: memory=64M wall=4
import os

total = 0
for place in ("/tmp", "/dev/shm", "/run", "/var/tmp", "."):
    for n in range(64):
        try:
            with open(f"{place}/fill{n}", "wb", buffering=0) as f:
                while True:
                    total += f.write(bytes(1 << 20))
                    if total > 1 << 30:
                        print("reached: wrote 1 GiB")
                        os._exit(0)
        except OSError:
            pass
print("contained")
