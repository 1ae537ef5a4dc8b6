# problem: sorted
import numpy as np

n = int(input())
a = np.array(input().split(), dtype=int)
a.sort()
print(*a.tolist())
