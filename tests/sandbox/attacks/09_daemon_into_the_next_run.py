# A process that stays behind answers in the place of the next run, and tells it things.
# expect: EXIT0
# tiers: T3
# prints: contained
# runs: 3
import os
import time

others = [p for p in os.listdir("/proc") if p.isdigit() and int(p) != os.getpid()]
for pid in others:
    try:
        if b"daemon" in open(f"/proc/{pid}/comm", "rb").read():
            print("reached:", pid)
    except OSError:
        pass
if os.path.exists("/tmp/fifo"):
    print("reached: fifo")
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        with open("/proc/self/comm", "w") as f:
            f.write("daemon")
        while True:
            try:
                os.write(1, b"")
                os.mkfifo("/tmp/fifo")
            except OSError:
                pass
            time.sleep(0.01)
    os._exit(0)
time.sleep(0.05)
print("contained")
