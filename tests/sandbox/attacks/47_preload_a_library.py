# What a program sets for its own children concerns these alone.
# expect: EXIT0
# prints: 0
# prints: 0
# runs: 2
import subprocess
import sys

for name in ("LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH"):
    env = {name: "/tmp/missing.so", "PATH": "/usr/bin:/bin"}
    if name != "LD_LIBRARY_PATH":
        done = subprocess.run(["/bin/true"], env=env, stderr=subprocess.DEVNULL)
        print(done.returncode)
        sys.stdout.flush()
