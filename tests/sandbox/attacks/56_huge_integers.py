# Numbers whose text takes the interpreter quadratic time.
# expect: RAISED RAISED|OLE|RETURNED RETURNED
# calls: f [0] [1] [2]
# limits: output=1M cpu=3
def f(x):
    if x == 0:
        return int("9" * 1_000_000)
    return 10 ** (100_000 if x == 1 else 10)
