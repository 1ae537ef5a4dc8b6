# expect: WALL
# limits: wall=0.4
import os

os.mkfifo("/tmp/fifo")
open("/tmp/fifo").read()
