# Changes the program that the next run executes, wherever it lies.
# expect: EXIT0
# prints: original
# runs: 3
import os
import sys

new = "print('changed')\n"
print("original")
paths = {sys.argv[0], globals().get("__file__", ""), "/tmp/main.py", "/box/main.py"}
for path in paths:
    for change in (
        lambda p: os.chmod(p, 0o777),
        lambda p: open(p, "w").write(new),
        os.unlink,
        lambda p: os.rename("/tmp/new.py", p),
        lambda p: os.symlink("/tmp/new.py", p),
        lambda p: os.rename(os.path.dirname(p), "/tmp/moved"),
    ):
        try:
            open("/tmp/new.py", "w").write(new)
            change(path)
        except OSError:
            pass
