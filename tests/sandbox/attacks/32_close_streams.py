# expect: EXIT0
# tiers: T3
# prints: contained
# runs: 2
import os

os.write(1, b"contained\n")
for fd in (0, 1, 2):
    os.close(fd)
for path in ("/tmp/a", "/tmp/b", "/tmp/c"):
    os.open(path, os.O_CREAT | os.O_RDWR)
os.write(1, b"lost")
os._exit(0)
