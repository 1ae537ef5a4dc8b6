# expect: EXIT0
# never_prints: y
# limits: cpu=3 wall=10
import os

for _ in range(300_000):
    os.write(1, b"x")
