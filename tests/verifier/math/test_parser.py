import contextlib
import time

import pytest

from tests.verifier.math.pace import slack
from verifier.math.latex import to_latex
from verifier.math.syntax.cleaning import clean
from verifier.math.syntax.numerals import MAX_DIGITS
from verifier.math.syntax.parser import parse
from verifier.math.syntax.reader import MAX_DEPTH
from verifier.math.syntax.tokens import MAX_CHARS, MAX_TOKENS, ParseError
from verifier.math.syntax.unicode import ascii_math
from verifier.math.tree import Op, from_json, to_json

SAME = [
    [
        r"\frac12",
        r"\frac{1}{2}",
        r"\dfrac{1}{2}",
        r"\tfrac12",
        r"\frac1{2}",
        r"\cfrac{1}2",
        "1/2",
        "½",
    ],
    [r"\sqrt3", r"\sqrt{3}", r"\sqrt 3", "sqrt(3)", "√3", "sqrt3"],
    [r"2\cdot x", "2x", "2*x", r"2 \times x", "2×x", "2·x"],
    ["x^2", "x**2", "x²", "x^{2}", r"{x}^{2}"],
    ["pi/2", r"\frac{\pi}{2}", r"\pi / 2", r"\frac{π}{2}"],
    [r"\left( 1, 2 \right)", "(1,2)", "（1，2）", r"\bigl(1,\,2\bigr)"],
    ["1200", "1,200", "1{,}200", r"1,\!200", "1 200", r"1\,200"],
    [r"2\frac{3}{4}", "2 3/4", r"2\tfrac34"],
    [r"0.\overline{3}", "0.(3)", r"0.\dot{3}", "0.333..."],
    [r"x \le 2", "x<=2", r"x\leq2", "x ≤ 2", r"x \leqslant 2"],
    [r"\sin x", "sin(x)", r"\sin{x}", "sin x", r"\operatorname{sin}(x)", r"\mathrm{sin}\,x"],
    [r"\sin^{-1} x", r"\arcsin x", "arcsin(x)", "asin(x)"],
    [r"90^\circ", "90°", r"90^{\circ}", r"90\text{ degrees}", "90 degrees"],
    [r"50\%", "50%", r"50\text{ percent}", "50 percent"],
    [r"\binom{10}{3}", "C(10,3)", r"{10 \choose 3}"],
    [r"\{1,2\}", r"\left\{1, 2\right\}", r"\lbrace 1,2\rbrace"],
    [
        "12",
        "１２",
        "⑫",
        r"\mathbf{12}",
        r"\text{12}",
        "12.",
        r"\displaystyle 12",
        "{12}",
        r"\color{red}{12}",
    ],
    [r"204_5", r"204_{5}", r"204_{\text{5}}"],
    ["-x", r"- x", "−x", "–x"],
    [r"x=1\text{ or }x=2", r"x = 1 \text{or} x=2", "x=1 or x=2", r"x=1 \lor x=2"],
    [
        r"\begin{pmatrix}1&2\\3&4\end{pmatrix}",
        r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \\ \end{bmatrix}",
        r"\left[\begin{array}{cc}1&2\\3&4\end{array}\right]",
    ],
]


@pytest.mark.parametrize("forms", SAME, ids=lambda forms: forms[0])
def test_same_tree(forms: list[str]) -> None:
    trees = {form: parse(form) for form in forms}
    assert len(set(trees.values())) == 1, trees


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (r"\sin x\cos x", r"\sin{x}\cdot \cos{x}"),
        ("-x^2", "-x^{2}"),
        ("2^3^2", "2^{3^{2}}"),
        ("1/2x", r"\frac{1}{2}\cdot x"),
        ("a-b-c", "a-b-c"),
        (r"e^{-x}", "e^{-x}"),
        ("n!", "n!"),
        ("2|x|+1", r"2\cdot \lvert {x}\rvert +1"),
        (r"\log_2 8", r"\log_{2}{8}"),
        ("15 cm^2", r"15\text{cm^2}"),
        ("3e8", r"3\cdot 10^{8}"),
        ("f(2)<f(1)", "f(2)<f(1)"),
        (r"\int_0^1 x\,dx", r"\int_{0}^{1} (x)\,d x"),
        (r"\{x \mid x>2\}", r"\{x\mid x>2\}"),
        ("xyz", r"x\cdot y\cdot z"),
        (r"3\cotx", r"3\cdot \cot{x}"),
        (r"2\frac ab", r"2\cdot \frac{a}{b}"),
        (r"3\frac{1}xy", r"3\cdot \frac{1}{x}\cdot y"),
        (r"5\frac{x}12", r"5\cdot \frac{x}{1}\cdot 2"),
        ("FF_16", "FF_{16}"),
        ("FF_{16+1}", r"F\cdot F_{16+1}"),
        ("1:2:=3", "(1:2)=3"),
        (r"\int \varphi d\varphi", r"\int (\phi )\,d \phi "),
        (r"\int \frac{dx}{x}", r"\int (\frac{1}{x})\,d x"),
        (r"\int_0^1 \frac{3dt}{t+1}+2", r"\int_{0}^{1} (\frac{3}{t+1})\,d t+2"),
        (r"\int \int xy dx dy", r"\int (\int (x\cdot y)\,d x)\,d y"),
        (r"f^{\prime\prime}(x)", "f''(x)"),
        ("(0,1) u (2,3) u (4,5)", r"(0, 1)\cup (2, 3)\cup (4, 5)"),
        ("x for each y", "x"),
        ("C_1^2", "(C_{1})^{2}"),
        ("x^2_5", "(x_{5})^{2}"),
        (r"x=2k\pi \quad (k \in Z)", r"x=2\cdot k\cdot \pi , k\in \mathbb{Z}"),
        ("f(x)(x+1)", r"f(x)\cdot (x+1)"),
        ("20,30,100", "20, 30, 100"),
        ("1,00,000", "100000"),
        (r"(1,2{,}5)", "(1, 2, 5)"),
        ("The largest value is 7", "7"),
        ("t equals 7", "t=7"),
        ("2x_{12}", r"2\cdot x_{12}"),
        (r"3+4\vec{i}", r"3+4\cdot \vec{i}"),
        (r"\mathbb{R}_{\ge 0}", r"\mathbb{R}_{\ge 0}"),
        (r"\frac{1}{2", r"\frac{1}{2}"),
        (r"\Gamma(\tfrac12)", r"\Gamma({\frac{1}{2}})"),
        (r"A_7^2", "P({7}, {2})"),
        ("5P8", "P({5}, {8})"),
        ("(dy)/(dx)", "y'"),
        ("A^{{T}}", "A^{T}"),
        ("(1,2)^{{T}}", r"\begin{pmatrix}1\\ 2\end{pmatrix}"),
        (r"\frac{1}{A(x)} = 2", r"\frac{1}{A(x)}=2"),
        ("A(x)", r"A\cdot x"),
        ("1! = x", "1! =x"),
        ("1!=x", r"1\neq x"),
        ("｛1,2｝", r"\{1, 2\}"),
        (r"k\in Zii", r"k\in (Z\cdot i\cdot i)"),
        (r"300\text{m}y", r"(300\text{m})\cdot y"),
        (r"\int \frac{\int x dx}{2} dy", r"\int (\frac{\int (x)\,d x}{2})\,d y"),
        (r"P(2<X)=\frac12", r"P(2<X)=\frac{1}{2}"),
        (r"T:(x,y)\mapsto x+y", "T(x, y)=x+y"),
        (r"\begin{aligned}x=1\end{aligned}", "x=1"),
        ("<{1,2}>", r"\langle 1, 2\rangle "),
        (r"3{1,2}", r"3\cdot {1, 2}"),
        (r"\det\{3\}", r"\det{\{3\}}"),
        ("1/2/3", r"\frac{\frac{1}{2}}{3}"),
        ("a-(b+c)-bc", r"a-(b+c)-b\cdot c"),
        ("0.7777...", r"\frac{7}{9}"),
        ("2.122222...", r"\frac{191}{90}"),
    ],
)
def test_reads_as(text: str, printed: str) -> None:
    tree = parse(text)
    assert to_latex(tree) == printed
    assert parse(printed) == tree
    assert from_json(to_json(tree)) == tree


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "$",
        "\\",
        "{",
        "}",
        r"\frac{1}{",
        r"\frac{1}",
        "(1,2",
        "1 +",
        "^2",
        "* 3",
        "1 2",
        "parabola",
        r"\text{odd or even}",
        r"\unknown",
        r"\input{/etc/passwd}",
        "__import__('os')",
        "().__class__",
        r"\begin{pmatrix}1&2\\3\end{pmatrix}",
        r"\begin{foo}1\end{foo}",
        "\x01",
        "=",
        "a=",
        "(]",
        r"(1,2\rfloor",
        r"\lfloor x\rceil",
        r"\|x|",
        "2.5_6",
        "9_{99}",
        "2^1.5e3",
        "1 2/1.5e3",
        r"7\text{ thousand ^110}",
        r"40^\circ^\circ",
        ".5 max",
        r"5\text{${cm",
        r"2.3\dot{4}5.6",
        r"x: 2\mapsto 3",
        r"\sum_{\pi=1}^2 3",
        r"5\text{cm}^{x}\text{kg}",
        "A1" * 40 + "_{16}",
        "%".join("x" * 30) + "%" * 30,
        "1 000.5e3",
        r"\text{at most } 5",
        r"\text{roughly } 5",
        r"\iint x\,dx\,dy",
        r"\sum_{1\le i<j\le n} i",
        r"\sum_{d\mid n} d",
        r"{x^{\prime 5}",
        "]1[",
        "The value is not 7",
        r"\text{divisible by }7",
        r"\text{The least value is }7, x=2 \text{ is where}",
    ],
)
def test_refuses(text: str) -> None:
    with pytest.raises(ParseError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("1" * (MAX_CHARS + 1), f"longer than {MAX_CHARS} characters: {MAX_CHARS + 1}"),
        ("(" * 200 + "1" + ")" * 200, f"nested deeper than {MAX_DEPTH}"),
        ("{" * 1500 + "1" + "}" * 1500, f"more than {MAX_TOKENS} tokens|nested deeper"),
        ("1" * (MAX_DIGITS + 1), f"more than {MAX_DIGITS} digits: {MAX_DIGITS + 1}"),
        ("+".join("x" * 1 for _ in range(1600)), f"more than {MAX_TOKENS} tokens"),
        ("1e1000000000", "exponent of more than"),
    ],
)
def test_limits_are_named(text: str, limit: str) -> None:
    with pytest.raises(ParseError, match=limit):
        parse(text)


@pytest.mark.parametrize(
    "unit",
    [
        "(",
        "{",
        "[",
        "|",
        "-",
        "\\frac",
        "\\sqrt",
        "1/",
        "x^",
        "\\text{",
        "a",
        "\\begin{cases}",
        "1,",
        "$",
        "\\left(",
        "\\overline{",
        "2^{",
        "f(",
        "\\sum_{k=1}^",
        "x_",
        "=",
        "1 ",
        "\\mathrm{\\text{",
        "½",
        "²",
        "2\\frac{",
        "2\\frac{1}{2}",
        "1ab",
        "5 ft ",
        "\\quad x=",
        "\n",
        "1'000",
        "one hundred ",
        "百分之",
        "2_5",
        "P(",
        "&",
        "\\text{if }",
        "\\int ",
        "{}_",
        "]0,1[",
    ],
)
def test_fast_on_hostile_text(unit: str) -> None:
    started = time.process_time()
    for text in (unit * (MAX_CHARS // len(unit)), unit * 95 + "1" + "}" * 95):
        with contextlib.suppress(ParseError):
            parse(text)
    assert time.process_time() - started < 0.1 * slack()  # two texts of at most 50 ms


def test_no_arithmetic_is_done() -> None:
    tree = parse("9**9**9**9")
    assert isinstance(tree, Op)
    assert tree.name == "pow"


def test_unicode_and_marks() -> None:
    assert ascii_math("x²³+√2") == r"x^{23}+\sqrt{2}"
    assert clean(r"$\left( 3 \right)$ \displaystyle") == "( 3 )" or "3" in clean(r"$3$")
    assert clean(r"\\frac{1}{2}") == r"\frac{1}{2}"
    assert clean("5\\") == "5"
