t1, t2, x1, x2, t0 = map(int, input().split())
if t0 == t1 == t2:
    print(x1, x2)
elif t0 == t1:
    print(x1, 0)
elif t0 == t2:
    print(0, x2)
else:
    best, chosen = (t2 - t0, 1), (0, x2)
    for y1 in range(x1 + 1):
        # (t1 y1 + t2 y2) / (y1 + y2) >= t0
        y2 = -(-y1 * (t0 - t1) // (t2 - t0))
        if y1 == 0:
            y2 = x2
        if y2 > x2:
            break
        above, units = t1 * y1 + t2 * y2 - t0 * (y1 + y2), y1 + y2
        order = above * best[1] - best[0] * units
        if order < 0 or (order == 0 and units > chosen[0] + chosen[1]):
            best, chosen = (above, units), (y1, y2)
    print(*chosen)
