# problem: messy
import sys

import numpy as np

print(np.array(sys.stdin.read().split(), dtype=np.int64).sum())
