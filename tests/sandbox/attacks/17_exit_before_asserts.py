# Tests that stand after the program are not reached.
# expect: EXIT0
# snippets: f(1); assert False
# snippets: assert f(1) == 2
# completed: no no
import os


def f(x):
    os._exit(0)
