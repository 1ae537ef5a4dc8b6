"""Answers in labelled parts: (reference, answer, whether they are the same)."""

import pytest

from verifier.math import MathPolicy, Outcome
from verifier.math.check import judge


def matches(gold: str, answer: str) -> bool:
    verdict, _ = judge([gold], rf"Hence \boxed{{{answer}}}", MathPolicy())
    return verdict.outcome is Outcome.MATCH


@pytest.mark.parametrize(
    ("gold", "answer", "same"),
    [
        ("12", r"\text{the maximum value is } 12", True),
        ("The minimum is 12, attained at x=2", "12", True),
        ("The minimum is 12, attained at x=2", r"\text{minimum } 12 \text{ at } x=2", True),
        ("The minimum is 12, attained at x=2", r"\text{minimum } 12 \text{ when } x=2", True),
        ("The minimum is 12, attained at x=2", r"\text{maximum } 12 \text{ at } x=2", False),
        ("The minimum is 12, attained at x=2", "13", False),
        ("The minimum is 12, attained at x=2", "2", False),
        ("The minimum is 12, attained at x=2", "x=2", False),
        ("(1) 5; (2) 7", "5, 7", True),
        ("(1) 5; (2) 7", r"(1)\ 5,\ (2)\ 7", True),
        ("(1) 5; (2) 7", r"\text{(1)}\ 5,\ \text{(2)}\ 7", True),
        ("(1) 5; (2) 7", "(a) 5 (b) 7", True),
        ("(1) 5; (2) 7", "1) 5 2) 7", True),
        ("(1) 5; (2) 7", "（1）5；（2）7", True),
        ("(1) 5; (2) 7", "(2) 7; (1) 5", True),
        ("(1) 5; (2) 7", "7, 5", False),
        ("(1) 5; (2) 7", "5", False),
        ("(1) 5; (2) 7", "(1) 5", False),
        ("(1) 5; (2) 7", "(1) 5; (2) 7; (3) 9", False),
        ("(1) 5; (2) 7", "(1) 5; (2) 8", False),
        (r"(i) 3 (ii) \frac12", "(i) 3, (ii) 0.5", True),
        ("(a) x=2 or x=3; (b) no solution", r"(a) x = 3 or x = 2 (b) \text{no solution}", True),
        ("(a) x=2 or x=3; (b) no solution", "(a) x = 3 or x = 2 (b) 0", False),
        ("maximum 5, minimum -3", r"\max = 5, \min = -3", True),
        ("maximum 5, minimum -3", r"\text{minimum } -3, \text{maximum } 5", True),
        ("maximum 5, minimum -3", r"\text{minimum } 5, \text{maximum } -3", False),
        ("maximum 5, minimum -3", r"\text{maximum } 5", False),
        ("maximum 5, minimum -3", "5, -3", True),
        ("maximum 5, minimum -3", "-3, 5", False),
        ("maximum 5, minimum -3", r"\text{the maximum is 5 and the minimum is -3}", True),
        ("最大值5，最小值-3", r"\text{max } 5, \text{min } -3", True),
        ("最大值为5", "5", True),
        ("A(1,2), B(3,4)", "B=(3,4), A=(1,2)", True),
        ("A(1,2), B(3,4)", "(1,2), (3,4)", True),
        ("A(1,2), B(3,4)", "A(3,4), B(1,2)", False),
        ("A(1,2), B(3,4)", "A(1,2)", False),
        ("maximum 5", r"\text{minimum } 5", False),
        (r"x > 0 \text{ when } a > 1", r"\text{if } a>1 \text{ then } x>0", True),
        (r"x > 0 \text{ when } a > 1", r"x<0 \text{ when } a>1", False),
        (r"x > 0 \text{ when } a > 1", r"x>0 \text{ when } a<1", False),
        (r"f(x)=\sqrt{x}, x\ge 0", r"f(x)=\sqrt{x}\quad (x\geqslant 0)", True),
        (r"f(x)=x^2, x \ge 0", r"f(x)=x^2,\ x>0", False),
        (r"f^{-1}(x)=x^2-1 (x\geqslant 0)", r"f^{-1}(x)=x^{2}-1,\ x\in[0,+\infty)", True),
        (r"y=\log_2(x+1) (x>-1)", r"y=\log_2(x-1)\ (x>1)", False),
        (r"a_n = 2n-1 (n\in\mathbf{N}^*)", "a_n=2n-1", True),
        ("a_n = 2n-1", r"a_n=2n-1, n\in N_+", True),
        (r"a_n = 2n-1 (n\in\mathbb{N}^{*})", "2n-1", True),
        (r"a_n = 2n-1 (n\in\mathbf{N}^*)", "a_n=2n+1", False),
        ("B(10,0.3)", "N(10,0.3)", False),
        ("maximum 5 when x=1, minimum 3 when x=2", "5, 3", True),
        (
            "maximum 5 when x=1, minimum 3 when x=2",
            r"\text{max } 5 \text{ at } x=1, \text{min } 3 \text{ at } x=2",
            True,
        ),
        (
            "maximum 5 when x=1, minimum 3 when x=2",
            r"\text{max } 5 \text{ at } x=2, \text{min } 3 \text{ at } x=1",
            False,
        ),
        ("7", "(1) 5 (2) 7", False),
        ("(x, y) = (1, 2)", "(1,2)", True),
        (r"\text{(1) } x^2+1; \text{(2) } \sin^2 t", r"(1) 1+x^2 (2) 1-\cos^2 t", True),
        ("(a)(b)", "(a)(c)", False),
        ("(a)(b)", "ab", True),
        ("(1)(2)(3)", "6", True),
        ("(1) (-3, 2); (2) 7", r"(1)\ (-3,2)\quad (2)\ 7", True),
        (r"\text{Part (a): } 3, \text{ Part (b): } 4", r"(a)\ 3, (b)\ 4", True),
        ("①5；②7", "(1) 5; (2) 7", True),
    ],
)
def test_part_by_part(gold: str, answer: str, same: bool) -> None:
    assert matches(gold, answer) is same
