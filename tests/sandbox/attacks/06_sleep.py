# expect: WALL
# limits: wall=0.4
import time

time.sleep(1e9)
