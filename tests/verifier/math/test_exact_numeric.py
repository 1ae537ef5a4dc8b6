import time
from fractions import Fraction

import pytest

from tests.verifier.math.pace import slack
from verifier.math.exact import exact
from verifier.math.numeric import compare
from verifier.math.syntax.parser import parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.50", Fraction(1, 2)),
        (r"2\frac34", Fraction(11, 4)),
        (r"0.1\overline{6}", Fraction(1, 6)),
        ("2^{10}", 1024),
        ("2^{-3}", Fraction(1, 8)),
        ("4^{1/2}", 2),
        (r"\sqrt{\frac{4}{9}}", Fraction(2, 3)),
        (r"\sqrt[3]{-8}", -2),
        ("5!", 120),
        ("6!!", 48),
        (r"\binom{10}{3}", 120),
        (r"17 \bmod 5", 2),
        (r"\sum_{k=1}^{10} k^2", 385),
        (r"\prod_{k=1}^{4} k", 24),
        (r"\log_2 8", 3),
        (r"\log_4 8", Fraction(3, 2)),
        (r"\gcd(12, 18)", 6),
        (r"\lfloor 3.7\rfloor", 3),
        (r"\lceil 3.2\rceil", 4),
        (r"\max(2,3)", 3),
        (r"|{-5}|", 5),
        (r"50\%", Fraction(1, 2)),
        ("1011_2", 11),
        ("FF_{16}", 255),
        ("20!+1", 2432902008176640001),
        (r"\begin{vmatrix}1&2\\3&4\end{vmatrix}", -2),
        (r"\frac{1}{100!}\cdot 100!", 1),
    ],
)
def test_exact(text: str, value: Fraction | int) -> None:
    assert exact(parse(text)) == value


@pytest.mark.parametrize(
    "text",
    [
        "x",
        r"\pi",
        r"\sqrt2",
        "1/0",
        "0^{-1}",
        "9^{9^{9^9}}",
        "(10^{10})!",
        r"\binom{10^9}{5\cdot 10^8}",
        r"\sum_{k=1}^{10^9} k",
        "((((9!)!)!)!)",
        "(-8)^{-1/3}",
        r"\sqrt[10^9]{2}",
        "1000!!!!!!!",
        r"\log_1 5",
        r"\sum_{a=1}^{900}\sum_{b=1}^{900}\sum_{c=1}^{900} a",
        r"(10^{9000})^{9000}",
    ],
)
def test_not_exact_and_fast(text: str) -> None:
    started = time.process_time()
    assert exact(parse(text)) is None
    assert time.process_time() - started < 0.05 * slack()


EQUAL = [
    (r"\tan^2 y + 1", r"\sec^2 y"),
    (r"\sqrt{8}", r"2\sqrt2"),
    (r"\sqrt{5+2\sqrt6}", r"\sqrt2+\sqrt3"),
    (r"\sqrt{1/n}", r"\frac{1}{\sqrt n}"),
    (r"\sin 15^\circ", r"\frac{\sqrt6-\sqrt2}{4}"),
    ("x^2-1", "(x-1)(x+1)"),
    ("n!", "n(n-1)!"),
    (r"\cos\frac{\pi}{3}", "1/2"),
    (r"\ln x^2", r"2\ln x"),
    (r"\cos n\pi", "(-1)^n"),
    (r"\arctan 1", r"\frac\pi4"),
    (r"-\tan 80^\circ+4\cos 10^\circ", r"-\sqrt3"),
    (r"\cos 2t", r"\cos^2 t-\sin^2 t"),
    (r"\sqrt[3]{7+5\sqrt2}+\sqrt[3]{7-5\sqrt2}", "2"),
    (r"e^{3\ln 2}", "8"),
    (r"e^{3i\pi/2}", "-i"),
    (r"\frac{n(n-1)(n-2)}{6}", r"\binom{n}{3}"),
    (r"\sum_{j=1}^{n} (2j-1)", "n^2"),
    ("|5-t|", "|t-5|"),
    ("3^{t+2}", r"9\cdot 3^t"),
]
DIFFERENT = [
    ("x^2", "x^2+0.0001"),
    ("a-b", "b-a"),
    (r"\frac{1}{100!}", r"\frac{1}{101!}"),
    (r"\pi", r"\frac{355}{113}"),
    ("e^{10^{-20}}", "1"),
    (r"\sqrt{10^6+1}", r"1000+\frac{1}{2000}"),
    ("x", "y"),
    ("n!", "n^n"),
    ("x+21^5", r"x+21^5+\frac{1}{1000000}"),
    ("(-1)^n", "1"),
    ("73105", "73106"),
    (r"\sqrt{(t+2)^2}", "t+2"),
    (r"\sin t", r"\tan t"),
    (r"\frac{p}{q-r}", r"\frac pq-r"),
    (r"\ln 5", r"\ln 6"),
]


@pytest.mark.parametrize(("a", "b"), EQUAL)
def test_numeric_equal(a: str, b: str) -> None:
    assert compare(parse(a), parse(b)).equal is True
    assert compare(parse(b), parse(a)).equal is True


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_numeric_different(a: str, b: str) -> None:
    found = compare(parse(a), parse(b))
    assert found.equal is False
    assert found.point is not None


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("10^{10^{10}}", "10"),
        (r"e^{\pi\sqrt{163}}", "262537412640768744"),
        ("0^0", "1"),
        (r"\sin(10^{30})", "0"),
        (r"\frac{1}{2}+0\cdot\infty", "1/2"),
    ],
)
def test_never_a_false_equal(a: str, b: str) -> None:
    assert compare(parse(a), parse(b)).equal is not True


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (r"\sqrt2\cdot\sqrt3", r"\sqrt6", True),
        (r"e^{\pi\sqrt{163}}", "262537412640768744", False),
        (r"x+10^{-300}", "x", False),
        (r"\sqrt{10^{200}+1}", "10^{100}", False),
        (r"\tanh 1000", "1", None),
        ("9^{9^9}", "9^{9^9}+1", None),
        ("(-8)^{1/3}", "-2", True),
        ("(-8)^{1/3}", r"1+i\sqrt3", True),
        ("(-8)^{1/3}", "2", False),
        (r"\int_0^1 \sqrt{1-x^2}\,dx", r"\frac{\pi}{4}", True),
        (r"\int_0^1 \sqrt{1-x^2}\,dx", "0.7853", False),
        (r"\lfloor\frac{n+1}{2}\rfloor", r"\lceil\frac n2\rceil", True),
        (r"\lfloor\frac{n}{2}\rfloor", r"\lceil\frac n2\rceil", False),
        (r"\sqrt{xy}", r"\sqrt x\sqrt y", True),
    ],
)
def test_no_digit_is_out_of_sight(a: str, b: str, same: bool | None) -> None:
    assert compare(parse(a), parse(b)).equal is same
    assert compare(parse(b), parse(a)).equal is same
