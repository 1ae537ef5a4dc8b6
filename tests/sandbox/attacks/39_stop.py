# The last two are for terminals, and there is none.
# expect: WALL WALL|EXIT0 WALL|EXIT0
# limits: wall=0.3
# stdin: 19
# stdin: 20
# stdin: 21
# never_prints: reached
import os

os.kill(os.getpid(), int(input()))
