import sys

words = iter(sys.stdin.read().split())
n = int(next(words))
alive = [1 - float(next(words)) for _ in range(n)]
links = [[] for _ in range(n)]
for _ in range(n - 1):
    a, b = int(next(words)), int(next(words))
    links[a].append(b)
    links[b].append(a)
parent = [-1] * n
order = [0]
for node in order:
    for other in links[node]:
        if other != parent[node]:
            parent[other] = node
            order.append(other)
below = [0.0] * n
kingdoms = sum(alive)
for node in order[1:]:
    below[parent[node]] += alive[node]
    kingdoms -= alive[node] * alive[parent[node]]
for _ in range(int(next(words))):
    node, chance = int(next(words)), 1 - float(next(words))
    up = parent[node]
    change = chance - alive[node]
    kingdoms += change * (1 - below[node] - (alive[up] if up >= 0 else 0))
    if up >= 0:
        below[up] -= change
    alive[node] = chance
    print(f"{kingdoms:.5f}")
