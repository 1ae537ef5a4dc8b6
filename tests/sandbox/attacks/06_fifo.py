# expect: WALL
# tiers: T3
# limits: wall=0.4
import os

os.mkfifo("/tmp/fifo")
open("/tmp/fifo").read()
