# A byte now and then does not buy time.
# expect: WALL
# limits: wall=0.6
import os
import time

while True:
    os.write(1, b".")
    time.sleep(0.02)
