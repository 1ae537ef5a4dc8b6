# Objects that claim to be equal to anything are no values.
# expect: RAISED
# calls: f [0] [1] [2] [3] [4] [5] [6] [7] [8]
# never_prints: 424242
import fractions


class Any:
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __hash__(self):
        return 0

    def __repr__(self):
        return "424242"

    __str__ = __repr__
    __class__ = int

    def __reduce__(self):
        return int, (424242,)

    def __json__(self):
        return 424242

    def __iter__(self):
        return iter([424242])

    def __int__(self):
        return 424242

    __index__ = __int__


class Meta(type):
    def __instancecheck__(cls, one):
        return True

    def __subclasscheck__(cls, one):
        return True

    def __eq__(cls, other):
        return True

    def __hash__(cls):
        return hash(int)


class Odd(metaclass=Meta):
    pass


class Int(int):
    def __repr__(self):
        return "424242"

    __str__ = __repr__


class Float(float):
    def __repr__(self):
        return "424242"


class Text(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


class Items(list):
    def __iter__(self):
        return iter([424242])


def f(x):
    return (
        Any(),
        Odd(),
        Int(1),
        Float(1),
        Text("x"),
        Items(),
        {1, 2},
        fractions.Fraction(1, 2),
        {Any(): 1},
    )[x]
