# Each process stays small; all together do not.
# expect: MLE
# expect@T2: MLE|EXIT0
# expect@T1: MLE|EXIT0
# limits: memory=64M wall=2
import os
import time

for _ in range(10):
    if os.fork() == 0:
        x = b"x" * (16 << 20)
        time.sleep(0.7)
        os._exit(0)
for _ in range(10):
    os.wait()
