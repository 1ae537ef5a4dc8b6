# expect: EXIT0|SIG9
# prints: contained
# runs: 2
# tiers: T3 T2
import os

for number in (9, 15, 19, 1, 2):
    try:
        os.kill(-1, number)
    except OSError:
        pass
print("contained")
