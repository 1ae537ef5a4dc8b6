from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.code.checkers import (
    CHECKERS,
    Tolerance,
    case_insensitive,
    exact,
    floats,
    lcb,
    lines,
    tokens,
    unordered_lines,
    words,
)

TOLERANT = floats(Tolerance(1e-6, 1e-6))
STRICT = floats(Tolerance(0, 0))


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
        ("1\u00a02".encode(), b"1 2", False),
        (b"1\x002", b"1 2", False),
        (b"\xef\xbb\xbf1", b"1", False),
    ],
)
def test_tokens(got: bytes, expected: bytes, same: bool) -> None:
    assert tokens(got, expected) is same


def test_words() -> None:
    assert words(b"1 2\n\n3", b"1\n2 3\n")
    assert not words(b"1 2", b"1 2 3")
    assert not words(b"12", b"1 2")


def test_exact() -> None:
    assert exact(b"a\n", b"a\n")
    assert not exact(b"a", b"a\n")


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        (b"a b\nc", b"a b\nc\n", True),
        (b"a b \r\nc\n\n", b"a b\nc", True),
        (b"a  b", b"a b", False),
        (b" a", b"a", False),
        (b"a\n\nb", b"a\nb", False),
        (b"", b"\n", True),
        (b"a", b"A", False),
    ],
)
def test_lines(got: bytes, expected: bytes, same: bool) -> None:
    assert lines(got, expected) is same


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        (b"Yes nO", b"YES no", True),
        ("É".encode(), "é".encode(), False),
        (b"yes\nno", b"yes no", False),
    ],
)
def test_case_insensitive(got: bytes, expected: bytes, same: bool) -> None:
    assert case_insensitive(got, expected) is same


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        (b"b 2\na 1\n", b"a  1\nb 2", True),
        (b"a\na\nb", b"a\nb\nb", False),
        (b"a\nb", b"a\nb\nc", False),
        (b"\n\na", b"a", True),
        (b"1 2", b"2 1", False),
        (b"", b"", True),
    ],
)
def test_unordered_lines(got: bytes, expected: bytes, same: bool) -> None:
    assert unordered_lines(got, expected) is same


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        (b"1.0000001", b"1", True),
        (b"1.00001", b"1", False),
        (b"1e3", b"1000.0", True),
        (b"1000000001", b"1000000000", False),  # two integers have no rounding error
        (b"1000000001.0", b"1000000000", True),
        (b"-0.0", b"0", True),
        (b".5", b"0.5", True),
        (b"5.", b"5", True),
        (b"nan", b"nan", False),
        (b"NaN", b"1", False),
        (b"1", b"nan", False),
        (b"inf", b"inf", True),
        (b"inf", b"1e400", False),
        (b"1e400", b"1e401", False),
        (b"0x10", b"16", False),
        (b"1_000", b"1000", False),
        ("\u0661".encode(), b"1", False),
        (b"1,5", b"1.5", False),
        (b"abc", b"abc", True),
        (b"abc", b"abd", False),
        (b"case 1.0", b"case 1", True),
        (b"1\n2", b"1 2", False),
        (b"1 2 3", b"1 2", False),
        (b"", b"1", False),
        (b"1e99999", b"1e99999", True),
        (b"0" * 500 + b"1", b"1", False),
        (b"1e-9", b"0", True),
    ],
)
def test_floats(got: bytes, expected: bytes, same: bool) -> None:
    assert TOLERANT(got, expected) is same


def test_tolerances() -> None:
    assert floats(Tolerance(0, 0.1))(b"109.0", b"100")
    assert not floats(Tolerance(0.1, 0))(b"109.0", b"100")
    assert STRICT(b"0.50", b".5")
    assert not STRICT(b"0.5000001", b"0.5")


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        (b"1.0", b"1", True),
        (b"1e3 2", b"1000 2.0", True),
        (b"0.333333", b"0.3333333333", False),
        (b" a b ", b"a b", True),
        (b"a  b", b"a b", False),
        (b"a\n\nb", b"a\nb", False),
        (b"YES", b"yes", False),
        (b"nan", b"nan", True),
        (b"nan 1.0", b"nan 1", False),
        (b"1_000", b"1000", True),  # as Python's Decimal reads it
        ("\u0661".encode(), b"1", True),
        (b"sNaN 1", b"sNaN 1.0", False),
        (b"", b"", True),
        (b"1\r\n2", b"1\n2", True),
        (b"1 2", b"1\n2", False),
    ],
)
def test_lcb(got: bytes, expected: bytes, same: bool) -> None:
    assert lcb(got, expected) is same


@pytest.mark.parametrize("name", CHECKERS)
def test_same_bytes_are_accepted_and_another_token_is_not(name: str) -> None:
    check = CHECKERS[name](Tolerance())
    assert check(b"1 2\nx\n", b"1 2\nx\n")
    assert not check(b"1 2\nx\n", b"1 2\ny\n")
    assert not check(b"", b"1 2\nx\n")
    assert not check(b"1 2\n", b"1 2\nx\n")


@pytest.mark.parametrize("name", CHECKERS)
@pytest.mark.parametrize("hostile", [b"1 ", b"\n", b"9", b"a\n"])
def test_large_outputs_take_linear_time(name: str, hostile: bytes) -> None:
    check = CHECKERS[name](Tolerance())

    def seconds(count: int) -> float:
        began = time.process_time()
        text = hostile * count
        assert not check(text, b"1 2\n3")
        assert check(text, text)
        check(text + b" ", text)
        check(b"1\n" + text, text)
        return time.process_time() - began

    assert seconds(400_000) < 20 * seconds(50_000) + 1


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_get_an_answer(got: bytes, expected: bytes) -> None:
    for make in CHECKERS.values():
        answer = make(Tolerance())(got, expected)
        assert answer in (True, False)
        if got == expected and b"nan" not in expected.lower():
            assert answer


@given(
    st.lists(st.lists(st.integers(-999, 999), min_size=1, max_size=4), min_size=1, max_size=4),
    st.sampled_from([b" ", b"  ", b"\t"]),
    st.sampled_from([b"\n", b"\r\n", b" \n"]),
)
def test_layout_of_tokens_is_no_matter(rows: list[list[int]], gap: bytes, end: bytes) -> None:
    written = [[str(value).encode() for value in row] for row in rows]
    plain = b"\n".join(b" ".join(row) for row in written)
    odd = end.join(gap.join(row) for row in written) + end
    assert tokens(odd, plain)
    assert TOLERANT(odd, plain)
    assert unordered_lines(end.join(gap.join(row) for row in reversed(written)), plain)


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.floats(-2, 2))
def test_tolerance_is_kept_to(value: float, factor: float) -> None:
    got = value * (1 + factor * 1e-6) + factor * 1e-6
    same = abs(got - value) <= max(1e-6, 1e-6 * abs(value))
    assert TOLERANT(b"%r" % got, b"%r" % value) is same or abs(abs(factor) - 1) < 0.5
