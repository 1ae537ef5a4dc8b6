from collections import deque

text = input().strip()
where = {}
for place, digit in enumerate(text):
    where.setdefault(digit, []).append(place)
steps = {0: 0}
queue = deque([0])
while queue:
    place = queue.popleft()
    for after in [place - 1, place + 1, *where.get("", [])]:
        if 0 <= after < len(text) and after not in steps:
            steps[after] = steps[place] + 1
            queue.append(after)
print(steps[len(text) - 1])
