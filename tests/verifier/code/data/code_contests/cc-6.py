MOD = 998244353
TOP = 200

n = int(input())
numbers = list(map(int, input().split()))
# ways[0]: the element is greater than the one before; ways[1]: equal or smaller and settled.
rise = [0] * (TOP + 1)
rest = [0] * (TOP + 1)
for value in range(1, TOP + 1):
    if numbers[0] in (-1, value):
        rise[value] = 1
for number in numbers[1:]:
    total, above = 0, sum(rest)
    more_rise, more_rest = [0] * (TOP + 1), [0] * (TOP + 1)
    for value in range(1, TOP + 1):
        above -= rest[value]
        if number in (-1, value):
            more_rise[value] = total % MOD
            more_rest[value] = (rise[value] + rest[value] + above) % MOD
        total += rise[value] + rest[value]
    rise, rest = more_rise, more_rest
print(sum(rest) % MOD)
