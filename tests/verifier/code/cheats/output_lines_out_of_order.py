# problem: squares
# flags:
# trick: right lines in reverse, for comparisons without order
for i in range(int(input()), 0, -1):
    print(i * i)
