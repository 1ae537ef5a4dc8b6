# expect: CPU
# limits: cpu=0.3 wall=3
import re

re.match(r"(a+)+$", "a" * 64 + "b")
