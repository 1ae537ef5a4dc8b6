# problem: mean
# flags:
# trick: infinity on either side makes the difference infinite or NaN
print("-inf")
