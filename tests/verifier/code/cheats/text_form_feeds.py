# problem: squares
# flags:
# trick: vertical tabs and form feeds in place of new lines
print("\v".join(str(i * i) for i in range(1, int(input()) + 1)), end="\f")
