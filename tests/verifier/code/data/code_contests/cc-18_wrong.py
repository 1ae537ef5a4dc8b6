input()
numbers = list(map(int, input().split()))
answer = 0
for bit in range(25):
    mask = (1 << bit + 1) - 1
    low = sorted(number & mask for number in numbers)
    pairs = 0
    for least, most in ((1 << bit, (1 << bit + 1) - 1),):
        for bound, sign in ((most, 1), (least - 1, -1)):
            j = len(low) - 1
            for i, number in enumerate(low):
                while j >= 0 and number + low[j] > bound:
                    j -= 1
                pairs += sign * max(0, j - i)
                if j <= i:
                    # From here on every partner at or before i has been counted.
                    break
    answer |= (pairs & 1) << bit
print(answer)
