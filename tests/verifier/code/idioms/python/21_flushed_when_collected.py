# problem: words
import collections
import sys

out = open(1, "w", buffering=1 << 20, closefd=False)
counter = collections.Counter(sys.stdin.read().split())
for word, count in sorted(counter.items()):
    out.write("%s %d\n" % (word, count))
