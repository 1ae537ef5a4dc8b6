# Output of a process that outlives the program is not the program's.
# expect: EXIT0
# prints: contained
# within: 3
import os
import time

os.write(1, b"contained\n")
if os.fork() == 0:
    os.setsid()
    time.sleep(0.3)
    while True:
        os.write(1, b"late\n")
        time.sleep(0.01)
