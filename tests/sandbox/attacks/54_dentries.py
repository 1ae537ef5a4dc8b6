# Names that do not exist are remembered by the kernel too.
# expect: EXIT0|MLE|CPU
# prints: contained
# limits: cpu=2 memory=64M
# within: 8
import os

for number in range(300_000):
    os.path.exists(f"/tmp/{number}")
    os.path.exists(f"/usr/lib/{number}")
print("contained")
