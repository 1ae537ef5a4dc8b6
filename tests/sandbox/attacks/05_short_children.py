# No process lives long enough to reach a limit of its own.
# expect: CPU
# expect@T2: CPU|WALL
# expect@T1: CPU|WALL
# limits: cpu=0.4 wall=3
import os
import time

while True:
    if os.fork() == 0:
        end = time.process_time() + 0.02
        while time.process_time() < end:
            pass
        os._exit(0)
    os.wait()
