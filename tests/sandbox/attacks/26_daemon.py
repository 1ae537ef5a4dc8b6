# Leaves its session, holds the standard streams and goes on burning.
# expect: EXIT0
# prints: contained
# runs: 2
# within: 4
import os
import sys

print("contained")
sys.stdout.flush()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            pass
    os._exit(0)
