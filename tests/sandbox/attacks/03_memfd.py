# expect: MLE
# limits: memory=64M
import os

fds = []
while True:
    fds.append(os.memfd_create("x"))
    for _ in range(16):
        os.write(fds[-1], bytes(1 << 20))
