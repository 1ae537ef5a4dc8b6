# Puts modules beside the program for the next run to import.
# expect: EXIT0
# prints: contained
# runs: 3
import sys

for name in ("random", "json", "heapq", "bisect", "statistics", "sitecustomize", "usercustomize"):
    try:
        module = __import__(name)
        if getattr(module, "MARK", None):
            print("reached:", name)
    except ImportError:
        pass
for place in ("/tmp", "/box", "/tmp/.local/lib/python3.11/site-packages", sys.prefix, "."):
    for name in (
        "random",
        "json",
        "heapq",
        "bisect",
        "statistics",
        "sitecustomize",
        "usercustomize",
    ):
        try:
            open(f"{place}/{name}.py", "w").write("MARK = 1\n")
        except OSError:
            pass
print("contained")
