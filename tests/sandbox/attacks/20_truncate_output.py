# What was written cannot be taken back.
# expect: EXIT0
# prints: first
# prints: second
import os

os.write(1, b"first\n")
for call in (
    lambda: os.ftruncate(1, 0),
    lambda: os.lseek(1, 0, 0),
    lambda: os.pwrite(1, b"other", 0),
):
    try:
        call()
        os.write(1, b"reached\n")
    except OSError:
        pass
os.write(1, b"second\n")
