# expect: OLE|EXIT0
# limits: cpu=3 wall=10
# never_prints: y
import os

for n in range(100_000):
    os.write(1 + n % 2, b"x")
