# expect: RETURNED
# calls: f [0] [1] [2] [3] [4]
# returns: NaN Infinity -0.0 [1.0,1] {"a":1e+308}
def f(x):
    return (float("nan"), float("inf"), -0.0, (1.0, 1), {"a": 1e308})[x]
