# Asks the kernel to kill others in its place.
# expect: MLE
# limits: memory=64M
import os

for value in ("-1000", "-500", "-1"):
    try:
        with open("/proc/self/oom_score_adj", "w") as f:
            f.write(value)
        print("reached: oom_score_adj", value)
    except OSError:
        pass
if os.fork() == 0:
    os.fork()
x = []
while True:
    x.append(bytearray(1 << 20))
