# Time is measured outside.
# expect: CPU
# limits: cpu=0.3 wall=3
import os
import resource
import time

for module in (time, os):
    for name in dir(module):
        if "time" in name or "monotonic" in name or "clock" in name:
            setattr(module, name, lambda *a: 0)
resource.getrusage = lambda *a: (0,) * 16
while True:
    pass
