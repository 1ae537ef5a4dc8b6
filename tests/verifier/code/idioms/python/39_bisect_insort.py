# problem: words
import bisect
import sys

words, seen = [], {}
for word in sys.stdin.read().split():
    if word not in seen:
        bisect.insort(words, word)
        seen[word] = 0
    seen[word] += 1
print("\n".join("{} {}".format(w, seen[w]) for w in words), end="")
