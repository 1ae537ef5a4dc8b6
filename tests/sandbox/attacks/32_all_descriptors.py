# expect: EXIT0
# prints: contained
# runs: 2
import os

fds = []
try:
    while len(fds) < 100_000:
        fds.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    print("contained" if error.errno == 24 else error)
else:
    print("reached:", len(fds), "descriptors")
