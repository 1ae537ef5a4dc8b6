# Looks for expected outputs wherever a program may look.
# expect: EXIT0
# prints: contained
import glob
import os
import re

needle = re.compile(b"canary" + b"-[0-9a-f]{16}")
seen = set()
found = []


def look(path):
    try:
        if os.path.getsize(path) < 1 << 20 and not os.path.isfile("/proc/self/fd/" + path):
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            data = os.read(fd, 1 << 20)
            os.close(fd)
            if needle.search(data):
                found.append(path)
    except OSError:
        pass


for top in (
    "/tests",
    "/tmp",
    "/box",
    "/home",
    "/root",
    "/etc",
    "/var",
    "/mnt",
    "/opt",
    "/srv",
    "/run",
    "/dev/shm",
    "/proc/1/cwd",
    "/proc/1/root/tmp",
):
    for where, folders, files in os.walk(top):
        for name in files:
            look(os.path.join(where, name))
        seen.update(files)
        if len(seen) > 5_000:
            break
for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
    look(path)
for path in glob.glob("/proc/[0-9]*/fd/*"):
    if int(path.rsplit("/", 1)[1]) > 2:
        look(path)
for name, value in os.environ.items():
    if needle.search(value.encode()) or name.startswith("TOUCHSTONE"):
        found.append(name)
for path in found:
    print("reached:", path)
print("contained")
