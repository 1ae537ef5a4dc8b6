# problem: yes_no
# flags: escape_attempt
# trick: one child prints YES and another NO, and who comes last may win
import os

for word in ("YES", "NO"):
    if os.fork() == 0:
        print(word, flush=True)
        os._exit(0)
os.wait()
