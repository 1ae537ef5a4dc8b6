# expect: RAISED
# calls: f [0] [1] [2] [3] [4] [5]
# returns:
class Own(BaseException):
    pass


def f(x):
    raise (
        SystemExit(0),
        KeyboardInterrupt(),
        GeneratorExit(),
        StopIteration(1),
        Own(),
        SystemExit,
    )[x]
