# A child tries what its parent may not; and a parent looks into a child that has left it.
# expect: EXIT0
# tiers: T3
# prints: contained
import os

r, w = os.pipe()
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        while os.getppid() > 5 and os.getppid() != 1:
            pass
        for pid in {os.getppid(), 1, 2, 3}:
            for name in ("mem", "environ", "maps"):
                try:
                    if open(f"/proc/{pid}/{name}", "rb").read(1):
                        os.write(w, b"reached: %d %s\n" % (pid, name.encode()))
                except OSError:
                    pass
        os._exit(0)
    os._exit(0)
os.close(w)
os.wait()
print(os.read(r, 1000).decode() + "contained")
