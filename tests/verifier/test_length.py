from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier import length
from verifier.length import WORD_CHARS, Result, check, number_problem, problem, score, words
from verifier.v1 import verifier_pb2 as pb


def steps(work: Callable[..., object], *arguments: object) -> int:
    """Lines of Python that a call runs: a measure of time that no load changes."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work(*arguments)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        # The paper's own numbers: 16,384 tokens expected, 4,096 of buffer.
        (0, 0.0),
        (16_383, 0.0),
        (16_384, 0.0),
        (16_385, -1 / 4096),
        (17_408, -0.25),
        (18_432, -0.5),
        (20_479, -4095 / 4096),
        (20_480, -1.0),
        (20_481, -1.0),
        (10**9, -1.0),
    ],
)
def test_equation_13(tokens: int, expected: float) -> None:
    assert score(tokens, 20_480, 4_096) == expected


@pytest.mark.parametrize(
    ("tokens", "most", "buffer", "expected"),
    [
        (100, 100, 0, 0.0),  # no buffer: a hard limit
        (101, 100, 0, -1.0),
        (0, 100, 100, 0.0),
        (1, 100, 100, -0.01),
        (100, 100, 100, -1.0),
    ],
)
def test_ends_of_the_buffer(tokens: int, most: int, buffer: int, expected: float) -> None:
    assert score(tokens, most, buffer) == expected


@given(st.integers(1, 10**6), st.data())
def test_longer_is_never_better(most: int, data: st.DataObject) -> None:
    buffer = data.draw(st.integers(0, most))
    tokens = data.draw(st.integers(0, 2 * most))
    here, longer = score(tokens, most, buffer), score(tokens + 1, most, buffer)
    assert -1.0 <= longer <= here <= 0.0
    assert (here < 0) == (tokens > most - buffer)
    if buffer:
        assert here - longer <= 1 / buffer + 1e-12


@pytest.mark.parametrize(
    ("response", "options", "meta", "expected"),
    [
        ("a" * 8, {"max": "10"}, {}, Result(0.0, "within", "8 characters, at most 10")),
        ("a" * 9, {"max": "10"}, {}, Result(-0.5, "overlong", "9 characters, at most 10, punished from 9")),
        ("a" * 11, {"max": "10"}, {}, Result(-1.0, "overlong", "11 characters, at most 10, punished from 9")),
        ("a" * 90, {"max": "100"}, {}, Result(-0.5, "overlong", "90 characters, at most 100, punished from 81")),
        ("好" * 7, {"max": "10", "buffer": "4"}, {}, Result(-0.25, "overlong", "7 characters, at most 10, punished from 7")),
        ("a b c", {"max": "3", "unit": "words", "buffer": "0"}, {}, Result(0.0, "within", "3 words, at most 3")),
        ("a b c d", {"max": "3", "unit": "words", "buffer": "0"}, {}, Result(-1.0, "overlong", "4 words, at most 3, punished from 4")),
        ("", {"max": "1"}, {}, Result(0.0, "within", "0 characters, at most 1")),
        ("a", {"max": "10"}, {"finish": "length"}, Result(-1.0, "truncated", "1 characters, at most 10; cut off by the engine")),
        ("a", {"max": "10"}, {"finish": "stop"}, Result(0.0, "within", "1 characters, at most 10")),
        ("a" * 99, {"max": "10"}, {"finish": "length"}, Result(-1.0, "truncated", "99 characters, at most 10; cut off by the engine")),
    ],
)  # fmt: skip
def test_check(
    response: str, options: dict[str, str], meta: dict[str, str], expected: Result
) -> None:
    assert problem(options) is None
    assert check(response, options, meta) == expected
    assert pb.Part.Reason.Value(expected.reason) > 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\t ", []),
        ("two and\ntwo, it's 4.", ["two", "and", "two,", "it's", "4."]),
        ("二加二", ["二", "加", "二"]),
        ("a二b", ["a", "二", "b"]),
        ("ひらカタ한국어 말", ["ひ", "ら", "カ", "タ", "한국어", "말"]),
        ("ไทย", ["ไ", "ท", "ย"]),
        ("x" * 40, ["x" * 16, "x" * 16, "x" * 8]),
        ("a" + " " * 40 + "b", ["a", " " * 16, " " * 16, "b"]),
        ("a" + " " * 15 + "b", ["a", "b"]),
        ("naïve café", ["naïve", "café"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text(st.sampled_from("ab \n.我ท\u0301\u200b"), max_size=400))
def test_no_text_is_long_with_few_words(text: str) -> None:
    found = words(text)
    # A word of 16 characters and the 15 blanks after it that no word counts.
    assert len(text) <= 31 * len(found) + 15
    assert all(1 <= len(word) <= WORD_CHARS for word in found)
    assert "".join("".join(found).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({}, "options[max]: required"),
        ({"max": ""}, "options[max]: a whole number from 1 to 1000000000, got ''"),
        ({"max": "0"}, "options[max]"),
        ({"max": "-5"}, "options[max]"),
        ({"max": "1e3"}, "options[max]"),
        ({"max": "10.0"}, "options[max]"),
        ({"max": " 10"}, "options[max]"),
        ({"max": "10\n"}, "options[max]"),
        ({"max": "1_0"}, "options[max]"),
        ({"max": "１０"}, "options[max]"),
        ({"max": "1000000001"}, "options[max]"),
        ({"max": "9" * 10_000}, "options[max]"),
        ({"max": "10", "buffer": "11"}, "options[buffer]: a whole number from 0 to 10, got '11'"),
        ({"max": "10", "buffer": "-1"}, "options[buffer]"),
        ({"max": "10", "buffer": "nan"}, "options[buffer]"),
        ({"max": "10", "unit": "tokens"}, "options[unit]: one of characters, words, got 'tokens'"),
    ],
)
def test_refused_options(options: dict[str, str], named: str) -> None:
    found = problem(options)
    assert found is not None
    assert named in found
    assert len(found) < 150


@given(st.dictionaries(st.sampled_from(sorted(length.OPTIONS)), st.text(max_size=12)), st.text())
def test_any_options_are_refused_or_usable(options: dict[str, str], response: str) -> None:
    if problem(options) is None:
        assert -1.0 <= check(response, options, {}).score <= 0.0


@pytest.mark.parametrize("text", ["inf", "nan", "1e5", "+1", "0x1", ".5", "1.", "--1", "1,5", ""])
def test_odd_numbers_are_refused(text: str) -> None:
    assert number_problem({"a": text}, "a", -10, 10) == (
        f"options[a]: a number from -10 to 10, got {text!r}"
    )


def test_numbers_at_their_limits() -> None:
    for text in ("-10", "10", "0.5", "-0.5", "10.0"):
        assert number_problem({"a": text}, "a", -10, 10) is None
    for text in ("-10.01", "10.01"):
        assert number_problem({"a": text}, "a", -10, 10) is not None
    assert number_problem({}, "a", -10, 10) is None


@pytest.mark.parametrize("unit", ["a", " ", "a ", "\n", "我", "\u0301", "a" * 16 + " ", "ー"])
def test_time_is_linear_on_hostile_text(unit: str) -> None:
    text = unit * (2**20 // len(unit.encode()))
    options = {"max": "100000000", "unit": "words"}
    assert steps(check, text, options, {}) < 100  # no loop of ours over the text
    assert len(text) / 31 - 1 <= len(words(text)) <= len(text)
