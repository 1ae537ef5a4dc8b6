# Standard input has an end, also for whoever reads on and reads again.
# expect: EXIT0
# prints: 3 0 0
# stdin: abc
import os
import sys

print(len(sys.stdin.read()), len(sys.stdin.read()), len(os.read(0, 1)))
