# problem: mean
# flags:
# trick: a number that a float reads as infinity
print("1e400")
