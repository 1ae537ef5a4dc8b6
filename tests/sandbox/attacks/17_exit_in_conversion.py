# Leaves while its value is being encoded: no method of the value is called for that.
# expect: RAISED|RETURNED
# calls: f [1] [2] [3] [4] [5]
import os


def leave(*a):
    os._exit(0)


class L(list):
    __iter__ = __len__ = __getitem__ = __repr__ = __str__ = leave


class D(dict):
    __iter__ = items = keys = values = __len__ = __getitem__ = __repr__ = leave


class T(tuple):
    __iter__ = __len__ = __getitem__ = __repr__ = leave


class I(int):  # noqa: E742
    __repr__ = __str__ = __index__ = __int__ = __format__ = leave


class S(str):
    __repr__ = __str__ = __iter__ = encode = __len__ = leave


def f(x):
    return [L([1]), D({"a": 1}), T([1]), I(7), S("x")][x - 1]
