from itertools import groupby

n, size = map(int, input().split())
counts = [len(list(group)) for _, group in groupby(sorted(map(int, input().split())))]
bits = min(8 * size // n, 30)
width = min(1 << bits, len(counts))
kept = best = sum(counts[:width])
for place in range(width, len(counts)):
    kept += counts[place] - counts[place - width]
    best = kept
print(n - best)
