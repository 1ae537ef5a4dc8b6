"""Letters, several letters, numbered statements: (reference, answer, same)."""

import pytest

from verifier.math import MathPolicy, Outcome
from verifier.math.check import judge


def matches(gold: str, answer: str) -> bool:
    verdict, _ = judge([gold], rf"Hence \boxed{{{answer}}}", MathPolicy())
    return verdict.outcome is Outcome.MATCH


@pytest.mark.parametrize(
    ("gold", "answer", "same"),
    [
        ("B", r"\text{Option B}", True),
        ("B", r"\text{choice B}", True),
        ("B", r"\text{选项B}", True),
        ("B", r"\mathrm{B}", True),
        ("B", r"\textbf{(B)}", True),
        ("(B)", "B.", True),
        ("B", r"\textbf{(B)}\ 7", True),
        ("7", r"\textbf{(B)}\ 7", True),
        (r"\frac12", r"\textbf{(B)}\ \frac12", True),
        ("8", r"\textbf{(B)}\ 7", False),
        ("B", r"\textbf{(C)}\ 7", False),
        (r"\textbf{(B)}\ 7", "B", True),
        (r"\textbf{(B)}\ 7", "7", True),
        (r"\textbf{(B)}\ 7", "(B) 7", True),
        (r"\textbf{(B)}\ 7", "(B) 8", False),
        (r"\textbf{(B)}\ 7", "8", False),
        ("7", r"(A)\ 8\quad (B)\ 7\quad (C)\ 6", False),
        ("7", "(A) 7 or (B) 8", False),
        ("ACD", "A, C, D", True),
        ("ACD", r"\text{ACD}", True),
        ("ACD", "A、C、D", True),
        ("ACD", r"\text{A, C and D}", True),
        ("ACD", "(A)(C)(D)", True),
        ("A, C", "AC", True),
        ("A and C", "AC", True),
        ("ACD", "AC", False),
        ("ACD", "A, B, C, D", False),
        ("A", "A, B", False),
        ("A", r"\text{A or B}", False),
        ("A", "ABCD", False),
        ("AC", "A or C", False),
        ("①③", "①, ③", True),
        ("①③", r"\text{①③}", True),
        ("①③", "(1)(3)", True),
        ("①③", "①和③", True),
        ("①③", "①②③", False),
        ("①③", "①", False),
        ("①③", "3", False),
        ("①③", "13", False),
        ("I and III only", "I, III", True),
        ("I and III only", r"\text{I and III}", True),
        ("I and III only", r"\text{I, II and III}", False),
        ("I and III only", r"\text{I only}", False),
        ("II only", r"\text{II}", True),
        ("A, C", r"A \text{ or } C", False),
        ("A", r"\text{The answer is not A}", False),
        ("A", r"\text{The answer is A}", True),
        ("A", r"\text{The correct answer is (A)}", True),
        ("答案是B", "B", True),
        ("A", r"\text{not (A)}", False),
    ],
)
def test_choices(gold: str, answer: str, same: bool) -> None:
    assert matches(gold, answer) is same
