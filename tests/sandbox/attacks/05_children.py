# The work is done by children while the one that began sleeps.
# expect: CPU
# expect@T2: CPU|WALL
# expect@T1: CPU|WALL
# limits: cpu=0.4 wall=3
import os
import time

for _ in range(3):
    if os.fork() == 0:
        while True:
            pass
time.sleep(60)
