from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from verifier.code.asserts import NOTHING, Turned, turn
from verifier.code.asserts import Call as AnyCall

Call = partial(AnyCall, as_python=True)


def test_check_function() -> None:
    source = """
METADATA = {"author": "us"}

def check(candidate):
    "docstring"
    assert candidate([1, 2], 3) == [3, 2]
    assert candidate("a") is None
    assert candidate(1.5)
    assert not candidate(-2)

check(turn_it)
"""
    assert turn(source) == Turned(
        "turn_it",
        (
            Call(("[1, 2]", "3"), "[3, 2]"),
            Call(('"a"',), "null"),
            Call(("1.5",), "true", truth=True),
            Call(("-2",), "false", truth=True),
        ),
        complete=True,
    )


def test_plain_asserts() -> None:
    found = turn("assert f(1) == (2, 3)\nassert f({'a': [True]}) == 'x'")
    assert found == Turned("f", (Call(("1",), "[2, 3]"), Call(('{"a": [true]}',), '"x"')), True)


@pytest.mark.parametrize(
    "rest",
    [
        "assert abs(f(2) - 0.5) < 1e-6",
        "for n in range(9):\n    assert f(n) == n",
        "assert f((1, 2)) == 3",
        "assert f({1: 2}) == 3",
        "assert f(x=1) == 3",
        "assert f(1) == 2 == 3",
        "assert f(1) != 2",
        "assert f({1}) == {1}",
        "x = 4",
    ],
)
def test_what_cannot_be_turned_is_left(rest: str) -> None:
    found = turn("assert f(1) == 2\n" + rest)
    assert found == Turned("f", (Call(("1",), "2"),), complete=False)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "assert f(",
        "assert f(1) == 2\nassert g(1) == 2",
        "f = wrapped(f)\nassert f(1) == 2",
        "def check(c):\n    assert c(1) == 2",
        "def check(c):\n    assert c(1) == 2\ncheck(f)\ncheck(g)",
        "def check(c):\n    assert other(1) == 2\ncheck(f)",
        "assert 1 == 1",
    ],
)
def test_nothing_to_turn(source: str) -> None:
    assert replace(turn(source), error="") == NOTHING
