# problem: squares
# flags:
# trick: separators that str.split takes for white space, and lines
print("\u2028".join(str(i * i) for i in range(1, int(input()) + 1)))
