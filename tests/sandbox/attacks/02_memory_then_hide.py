# The big process is a child, and the parent claims that all went well.
# expect: MLE
# expect@T2: MLE|EXIT0
# expect@T1: MLE|EXIT0
# prints: fine
# limits: memory=64M
import os

pid = os.fork()
if pid == 0:
    x = [bytearray(1 << 20) for _ in range(1000)]
    os._exit(0)
os.waitpid(pid, 0)
print("fine")
