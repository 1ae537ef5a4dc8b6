# The host's name, user and groups stay outside.
# expect: EXIT0
# prints: contained
# tiers: T3
import os

if os.uname().nodename != "sandbox":
    print("reached:", os.uname().nodename)
for line in open("/proc/self/cgroup"):
    if "touchstone" in line or "docker" in line:
        print("reached:", line)
if len(os.environ) > 8:
    print("reached:", dict(os.environ))
if os.getgroups() not in ([], [os.getgid()]):
    print("reached:", os.getgroups())
print("contained")
