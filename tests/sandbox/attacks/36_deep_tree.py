# A path of ten thousand levels, which a recursive cleaner would not survive.
# expect: EXIT0
# expect@T2: EXIT0|CPU
# expect@T1: EXIT0|CPU
# prints: contained
# runs: 2
import os

try:
    for _ in range(10_000):
        os.mkdir("deeper")
        os.chdir("deeper")
except OSError:
    pass
print("contained")
