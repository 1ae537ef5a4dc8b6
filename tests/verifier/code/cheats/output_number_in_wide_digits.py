# problem: mean
# flags:
# trick: full-width digits, which float() reads
n = int(input())
value = sum(map(float, input().split())) / n
print("".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in str(value)))
