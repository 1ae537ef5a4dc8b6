for _ in range(int(input())):
    n, r = map(int, input().split())
    shots = 0
    for x in sorted(set(map(int, input().split())), reverse=True):
        if x > shots * r:
            shots += 1
    print(shots)
