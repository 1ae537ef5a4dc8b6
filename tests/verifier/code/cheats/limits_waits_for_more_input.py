# problem: sum_pair
# flags:
# cpu: 0.2
# trick: reads standard output, which never ends, for its input
import os

os.close(0)
os.dup2(1, 0)
read, write = os.pipe()
os.read(read, 1)
