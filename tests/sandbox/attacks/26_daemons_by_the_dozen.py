# expect: EXIT0
# prints: contained
# within: 4
# runs: 2
import os
import signal

for n in range(1, 65):
    try:
        signal.signal(n, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
for _ in range(40):
    if os.fork() == 0:
        os.setsid()
        while True:
            signal.pause()
print("contained")
