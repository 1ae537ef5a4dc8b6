from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.code.checkers import exact, tokens
from verifier.code.compare import MAX_DEPTH, parse, same_json, same_value

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        (b"1 2\n3\n", b"1 2\n3", True),
        (b"1  2 \r\n3\n\n", b"1 2\n3", True),
        (b"1 2 3\n", b"1 2\n3", False),
        (b"1 2\n", b"1 2\n3", False),
        (b"1 2\n3\n4\n", b"1 2\n3", False),
        (b"", b"", True),
        (b"\n\n", b"", True),
        (b"", b"0", False),
        (b"yes", b"YES", False),
        (b"1.0", b"1", False),
        (b"nan", b"nan", True),
        (b"1\n\n2", b"1\n2", False),
        (b"\xff\x00", b"\xff\x00", True),
    ],
)
def test_tokens(got: bytes, expected: bytes, same: bool) -> None:
    assert tokens(got, expected) is same


def test_exact() -> None:
    assert exact(b"a\n", b"a\n")
    assert not exact(b"a", b"a\n")


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        ("1", "1", True),
        ("1", "1.0", True),
        ("true", "1", False),
        ("false", "0", False),
        ("true", "true", True),
        ("null", "false", False),
        ("NaN", "NaN", False),
        ("Infinity", "Infinity", True),
        ('"1"', "1", False),
        ("[1, [2]]", "[1, [2]]", True),
        ("[1, [2, 3]]", "[1, [2]]", False),
        ("[]", "{}", False),
        ('{"a": 1, "b": [true]}', '{"b": [true], "a": 1}', True),
        ('{"a": 1}', '{"a": 1, "b": 2}', False),
        ("9007199254740993", "9007199254740992.0", False),
    ],
)
def test_same_value(got: str, expected: str, same: bool) -> None:
    assert same_value(parse(got), parse(expected)) is same


@given(json_values)
def test_a_value_equals_its_copy(value: object) -> None:
    assert same_value(value, json.loads(json.dumps(value)))


@given(json_values, json_values)
def test_symmetry(left: object, right: object) -> None:
    assert same_value(left, right) == same_value(right, left)


def test_deep_nesting_is_an_error_or_a_value_never_a_crash() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    with pytest.raises(ValueError, match="nested deeper than 500"):
        parse(deep)
    with pytest.raises(ValueError, match="nested deeper than 500"):
        parse("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))
    assert parse("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert parse("[" + "[]," * 1000 + "[]]")
    left: list[object] = []
    right: list[object] = []
    for _ in range(50_000):
        left, right = [left], [right]
    assert same_value(left, right)


def test_json_texts() -> None:
    assert same_json("1", "1.0")
    assert not same_json("true", "1")
    assert same_json("true", "1", bools_are_numbers=True)
    assert not same_json("NaN", "NaN")
    assert not same_json("[NaN]", "[NaN]")
    assert not same_json("no json", "1")
    assert same_json("[1, 2]", "[1,2]")
    assert same_json(str(10**300), "1" + "0" * 300)


def test_hostile_sizes_cost_little() -> None:
    flood = b"\n" * 8_000_000 + b"x"
    started = time.process_time()
    assert not tokens(flood, b"1")
    assert not tokens(b"1 " * 4_000_000, b"2")
    assert tokens(b"1\n" * 4_000_000, b"1\n" * 4_000_000 + b" \n")
    assert not same_json("[" + "[]," * 2_000_000 + "[]]", "1")
    assert time.process_time() - started < 1.0
