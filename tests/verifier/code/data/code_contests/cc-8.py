import sys

words = list(map(int, sys.stdin.read().split()))
n, m = words[:2]
level = words[2:]
place = {value: divmod(i, m) for i, value in enumerate(level[: n * m])}
count = 0
for low in range(1, n * m + 1):
    root = {}

    def find(cell, root=root):
        while root[cell] != cell:
            cell = root[cell]
        return cell

    parts = 0
    for high in range(low, n * m + 1):
        x, y = place[high]
        root[x, y] = (x, y)
        parts += 1
        near = [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)]
        near = [find(cell) for cell in near if cell in root]
        if len(set(near)) < len(near):
            break
        for cell in near:
            root[cell] = (x, y)
        parts -= len(near)
        count += parts == 1
print(count)
