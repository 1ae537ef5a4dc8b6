# expect: RAISED
# calls: f [0] [1] [2] [3]
def f(x):
    return ((n for n in [1]), map(int, "1"), range(3), lambda: 1)[x]
