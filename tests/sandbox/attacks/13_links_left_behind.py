# Whoever cleans up or reads files after a run must not follow these.
# expect: EXIT0
# tiers: T3
# prints: contained
# runs: 2
# submissions: 2
import os

if sorted(os.listdir("/tmp")) not in ([], ["main.py"]):
    print("reached:", os.listdir("/tmp"))
targets = ("/etc/shadow", "/etc/passwd", "/proc/self/mem", "/dev/zero", "/", "..", "loop", "/tmp")
names = (
    "main.py",
    "output",
    "stdout",
    "a.out",
    "core",
    "result.json",
    "main",
    "Main.class",
    "loop",
)
for name in names:
    for target in targets:
        for path in (f"/tmp/{name}", f"/tmp/{name}-{targets.index(target)}"):
            try:
                if os.path.lexists(path):
                    os.unlink(path)
                os.symlink(target, path)
            except OSError:
                pass
os.mkfifo("/tmp/fifo")
os.mknod("/tmp/socket", 0o140666)
with open("/tmp/sparse", "wb") as f:
    try:
        f.truncate(1 << 40)
    except OSError:
        pass
for mode in (0o000, 0o200, 0o100):
    os.mkdir(f"/tmp/closed{mode}")
    open(f"/tmp/closed{mode}/file", "w").close()
    os.chmod(f"/tmp/closed{mode}", mode)
print("contained")
