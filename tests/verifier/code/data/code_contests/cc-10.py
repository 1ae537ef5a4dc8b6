n = int(input())
a = list(map(int, input().split()))
left, right, last, moves = 0, n - 1, 0, ""
while left <= right:
    one, other = a[left], a[right]
    if max(one, other) <= last:
        break
    if one == other:
        from_left = from_right = 1
        while left + from_left <= right and a[left + from_left] > a[left + from_left - 1]:
            from_left += 1
        while right - from_right >= left and a[right - from_right] > a[right - from_right + 1]:
            from_right += 1
        moves += "L" * from_left if from_left > from_right else "R" * from_right
        break
    take_left = one < other if min(one, other) > last else one > other
    moves += "L" if take_left else "R"
    if take_left:
        last, left = one, left + 1
    else:
        last, right = other, right - 1
print(len(moves))
print(moves)
