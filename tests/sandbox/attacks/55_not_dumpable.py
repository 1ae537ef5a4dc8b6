# Hides its /proc entries from whoever supervises it, and burns.
# expect: CPU
# limits: cpu=0.3 wall=3
import ctypes

ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
while True:
    pass
