# What one submission stores, the next one of the same author would read.
# expect: EXIT0
# prints: contained
# stdin: 1
# stdin: 2
# submissions: 3
import builtins
import json
import os
import sys

seen = input()
marks = ["/tmp/inputs", "/dev/shm/inputs", "/var/tmp/inputs", "/tmp/.cache/inputs", "/box/inputs"]
for path in marks:
    if os.path.exists(path):
        print("reached:", path, open(path).read())
for where in (builtins, json, sys, os):
    if hasattr(where, "inputs"):
        print("reached:", where.__name__)
    where.inputs = seen
if "INPUTS" in os.environ:
    print("reached: environment")
os.environ["INPUTS"] = seen
os.putenv("INPUTS", seen)
os.umask(0o777 if seen == "3" else 0)
for path in marks:
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(seen)
    except OSError:
        pass
print("contained")
