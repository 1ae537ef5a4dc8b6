# problem: mean
# flags:
# trick: a number so long that reading it takes a while, or gives up
print("0" * 5000 + "1." + "3" * 1_000_000)
