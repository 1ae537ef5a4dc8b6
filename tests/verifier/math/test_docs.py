"""Every example of docs/math.md is true."""

import re
from pathlib import Path

import pytest

from verifier.math import Outcome, check

PAGE = (Path(__file__).parents[3] / "docs" / "math.md").read_text()


def table(header: str) -> list[list[str]]:
    """The cells of a table by the start of its header."""
    at = PAGE.index(header)
    lines = PAGE[at : PAGE.index("\n\n", at)].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def matches(gold: str, answer: str) -> bool:
    return check([gold], rf"So it is \boxed{{{answer}}}.").outcome is Outcome.MATCH


PAIRS = [
    (codes(gold)[0], answer, expected)
    for _, gold, same, other in table("| kind | reference |")
    for cell, expected in ((same, True), (other, False))
    for answer in codes(cell)
]


def test_the_tables_are_read() -> None:
    assert len(PAIRS) > 100


@pytest.mark.parametrize(("gold", "answer", "expected"), PAIRS)
def test_what_counts_as_the_same(gold: str, answer: str, expected: bool) -> None:
    assert matches(gold, answer) is expected


@pytest.mark.parametrize(
    ("gold", "answer", "verdict"),
    [(codes(g)[0], codes(a)[0], codes(v)[0]) for _, g, a, v in table("| limit | reference |")],
)
def test_known_limits(gold: str, answer: str, verdict: str) -> None:
    assert check([gold], rf"So it is \boxed{{{answer}}}.").outcome.value == verdict
