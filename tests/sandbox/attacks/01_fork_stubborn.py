# Keeps forking when it is refused, and each process in a session of its own.
# expect: CPU|WALL|MLE
# limits: cpu=0.5 wall=3
import os

while True:
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        pass
