# Exceptions that fail, hang on themselves or are huge when they are described.
# expect: RAISED
# calls: f [0] [1] [2] [3] [4]
class Raises(Exception):
    def __str__(self):
        raise SystemExit(0)


class NoText(Exception):
    def __str__(self):
        return 3


class Huge(Exception):
    def __str__(self):
        return "x" * 10_000_000


class Meta(type):
    @property
    def __name__(cls):
        raise SystemExit(0)


class Nameless(Exception, metaclass=Meta):
    pass


def f(x):
    if x == 4:
        error = ValueError()
        error.__cause__ = error.__context__ = error
        raise error
    raise (Raises, NoText, Huge, Nameless)[x]
