# Two runs, also of the same warm interpreter, draw different numbers.
# expect: EXIT0
# differs: yes
# runs: 4
# submissions: 3
import random

print(random.random(), random.getrandbits(64))
