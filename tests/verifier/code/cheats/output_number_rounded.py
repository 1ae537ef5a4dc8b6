# problem: mean
# flags:
# trick: an integer close by, in the hope of a generous tolerance
n = int(input())
print(round(sum(map(float, input().split())) / n))
