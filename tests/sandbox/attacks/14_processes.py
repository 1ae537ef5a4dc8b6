# Only the program's own processes are there.
# expect: EXIT0
# prints: contained
# tiers: T3
import os

mine = {os.getpid()}
child = os.fork()
if child == 0:
    __import__("time").sleep(60)
mine.add(child)
for pid in os.listdir("/proc"):
    if pid.isdigit() and int(pid) not in mine:
        print("reached:", pid, open(f"/proc/{pid}/cmdline").read()[:80])
for pid in range(1, 300):
    if pid not in mine:
        for name in (
            "environ",
            "maps",
            "mem",
            "cmdline",
            "root",
            "cwd",
            "exe",
            "fd",
            "status",
            "task",
        ):
            if os.path.exists(f"/proc/{pid}/{name}"):
                print("reached:", pid, name)
print("contained")
