from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.code.checkers import Tolerance
from verifier.code.compare import MAX_DEPTH, parse, same_json, same_value

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


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
    started = time.process_time()
    assert not same_json("[" + "[]," * 2_000_000 + "[]]", "1")
    assert time.process_time() - started < 1.0


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        ("0.30000000000000004", "0.3", True),
        ("[1.0000001, [2]]", "[1, [2]]", True),
        ("1.1", "1", False),
        ("2", "3", False),
        ("1000000001", "1000000000", False),
        ("NaN", "NaN", False),
        ("Infinity", "1e308", False),
        ("true", "1.0", False),
        ('"0.30000000000000004"', '"0.3"', False),
        ('{"a": 0.1}', '{"a": 0.10000000001}', True),
        ("1" * 400, "1.0", False),
    ],
)
def test_floats_within_a_tolerance(got: str, expected: str, same: bool) -> None:
    assert same_json(got, expected, tolerance=Tolerance()) is same
    assert not same_json(got, expected) or got == expected
