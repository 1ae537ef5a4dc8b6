# problem: squares
# flags:
# trick: prints lines that are empty once they are stripped
print(" \n" * int(input()))
