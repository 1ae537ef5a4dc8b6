# problem: mean
# flags:
# trick: text around the right value, for comparisons that search for it
n = int(input())
print(f"mean={sum(map(float, input().split())) / n}")
