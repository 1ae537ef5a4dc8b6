# problem: words
import contextlib
import io
import sys
from collections import defaultdict

counts = defaultdict(int)
for line in sys.stdin:
    for word in line.split():
        counts[word] += 1
held = io.StringIO()
with contextlib.redirect_stdout(held):
    for word, count in sorted(counts.items()):
        print(f"{word} {count}")
print(held.getvalue().strip())
