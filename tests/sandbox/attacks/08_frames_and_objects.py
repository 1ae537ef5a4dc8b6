# Looks for what is expected among all objects and in all frames.
# expect: RETURNED
# calls: f [1] [2] [3]
# returns: [] [] []
import gc
import sys


def f(x):
    frame, found = sys._getframe(), []
    while frame is not None:
        found += [k for k in frame.f_locals if "expect" in k or "gold" in k or "answer" in k]
        frame = frame.f_back
    for one in gc.get_objects():
        if type(one) is dict:
            found += [
                k for k in list(one) if type(k) is str and k.startswith(("expected_", "gold_"))
            ]
    return found
