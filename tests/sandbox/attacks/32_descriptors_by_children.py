# Each process holds what it may, so that the host's table would fill.
# expect: EXIT0
# prints: contained
# limits: processes=64
import os
import time

for _ in range(50):
    if os.fork() == 0:
        try:
            while True:
                os.open("/dev/null", os.O_RDONLY)
        except OSError:
            time.sleep(60)
time.sleep(0.5)
print("contained")
