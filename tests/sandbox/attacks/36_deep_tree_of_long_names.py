# expect: EXIT0
# prints: contained
# runs: 2
import os

try:
    for _ in range(2_000):
        for name in ("x" * 255, "y" * 255):
            os.mkdir(name)
        os.chdir("x" * 255)
except OSError:
    pass
print("contained")
