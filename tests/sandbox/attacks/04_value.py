# A value of a call is output too.
# expect: RETURNED OLE NOT_RUN
# calls: f [1] [1000000] [1]
# limits: output=100K
def f(n):
    return "x" * n
