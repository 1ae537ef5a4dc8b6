# problem: mean
# flags:
# trick: NaN is never farther away than the tolerance
print("nan")
