# problem: mean
from decimal import ROUND_HALF_UP, Decimal, getcontext

getcontext().prec = 50
n = Decimal(input())
total = sum(map(Decimal, input().split()), Decimal(0))
print((total / n).quantize(Decimal("0.001"), rounding=ROUND_HALF_UP))
