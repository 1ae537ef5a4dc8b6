# Reads a byte at a time; input that is still being sent when the program ends stops nothing.
# expect: WALL
# stdin_bytes: 8M
# limits: wall=0.5
import os
import time

while os.read(0, 1):
    time.sleep(0.01)
