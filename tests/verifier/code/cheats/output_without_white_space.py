# problem: squares
# flags:
# trick: the right digits without lines, for comparisons that drop white space
print("".join(str(i * i) for i in range(1, int(input()) + 1)))
