# problem: mean
from fractions import Fraction

n = int(input())
mean = sum(map(Fraction, input().split())) / n
print("%.3f" % mean)
