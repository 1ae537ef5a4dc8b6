import sys

words = list(map(int, sys.stdin.read().split()))
n, k = words[:2]
root = list(range(n + 1))


def find(node):
    while root[node] != node:
        root[node] = root[root[node]]
        node = root[node]
    return node


for u, v, black in zip(words[2::3], words[3::3], words[4::3], strict=True):
    if not black:
        root[find(u)] = find(v)
sizes = [0] * (n + 1)
for node in range(1, n + 1):
    sizes[find(node)] += 1
mod = 10**9 + 7
print((pow(n, k, mod) - max(pow(size, k, mod) for size in sizes)) % mod)
