# expect: RAISED RETURNED
# calls: f [true] [false]
def f(deep):
    return f(deep) if deep else 1
