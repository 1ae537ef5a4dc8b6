# Structures that hold themselves, are deeper or larger than anything, or grow while they are read.
# expect: RAISED|OLE|MLE|RETURNED RAISED|NOT_RUN RAISED|NOT_RUN RAISED|OLE|MLE|NOT_RUN RAISED|NOT_RUN
# calls: f [0] [1] [2] [3] [4]
# limits: output=1M memory=128M
def f(x):
    if x == 0:
        return [float("nan"), float("inf"), -0.0]
    if x == 1:
        a = []
        a.append(a)
        return a
    if x == 2:
        a = []
        for _ in range(100_000):
            a = [a]
        return a
    if x == 3:
        a = ["x" * 1000] * 1000
        for _ in range(10):
            a = [a] * 1000
        return a
    d = {}
    d["a"] = d
    return d
