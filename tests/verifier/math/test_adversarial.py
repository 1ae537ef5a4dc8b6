"""Answers written to be taken for right ones, or to break the check."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

from tests.verifier.math.pace import slack
from verifier.math import MathPolicy, MathVerifier, Outcome
from verifier.math.check import judge
from verifier.math.choices import choice, selection
from verifier.math.parts import labelled
from verifier.math.phrases import alternatives, folded, value_in
from verifier.math.reading import reading
from verifier.math.syntax.cleaning import clean
from verifier.math.syntax.parser import MAX_TREE_DEPTH, parse
from verifier.math.syntax.tokens import MAX_CHARS, ParseError

POLICY = MathPolicy()
Result = TypeVar("Result")


def outcome(gold: str, answer: str) -> Outcome:
    return judge([gold], rf"\boxed{{{answer}}}", POLICY)[0].outcome


FLOORS = [
    ("x", r"\lfloor x\rfloor"),
    ("x", r"\lceil x\rceil"),
    (r"\lceil x\rceil", r"\lfloor x\rfloor"),
    ("2x", r"\lfloor 2x\rfloor"),
    ("0", r"x \mod 1"),
    ("0", r"\lfloor |\sin x|\rfloor"),
    ("0", r"\lfloor x/10^9\rfloor"),
    ("n", r"\lfloor n\rfloor"),
    ("n!+x", r"n!+\lfloor x\rfloor"),
    ("x", r"\lfloor x\rfloor+0\cdot x!"),
    ("x", r"x+\sin(\pi x)+x!-x!"),
    ("x!", r"x!+\lfloor x/100\rfloor"),
    ("x+10", "|x+10|"),
]


@pytest.mark.parametrize(("gold", "answer"), FLOORS)
def test_steps_are_not_told_by_whole_numbers(gold: str, answer: str) -> None:
    assert outcome(gold, answer) is not Outcome.MATCH
    assert outcome(answer, gold) is not Outcome.MATCH


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        (r"\lfloor x\rfloor+1", r"1+\lfloor x\rfloor"),
        (r"2\lfloor x\rfloor", r"\lfloor x\rfloor+\lfloor x\rfloor"),
        (r"\lfloor x+1\rfloor", r"\lfloor x\rfloor+1"),
        (r"\lceil x\rceil", r"-\lfloor -x\rfloor"),
        (r"\lfloor x\rfloor", r"x-(x \bmod 1)"),
        (r"\lfloor\frac{x+y}{2}\rfloor", r"\lfloor (y+x)/2\rfloor"),
        (r"\binom{n}{2}", "n(n-1)/2"),
        (r"\sum_{k=1}^n x^k", r"x\frac{x^n-1}{x-1}"),
    ],
)
def test_equal_steps_and_sequences_match(gold: str, answer: str) -> None:
    assert outcome(gold, answer) is Outcome.MATCH
    assert outcome(answer, gold) is Outcome.MATCH


@pytest.mark.parametrize("gold", ["A", "(A)"])
@pytest.mark.parametrize(
    "answer",
    [
        "(A) (B) (C) (D)", "(A) or (B)", "(A), (B), (C)", "A. B. C. D.", "A) B) C) D)", "A: B",
        "(A) not (B)", r"\text{(A) or (B)}", r"(A)\ (B)", "(A)(B)", "(A) / B", "(A) is wrong",
        "A. not A", "A, B", "A or B", "(A) or maybe B", "(A) both (B) and (C)",
        "(A) 3 (B) 4 (C) 5", "(A)" + "(B)" * 50 + "x",
    ],
)  # fmt: skip
def test_several_letters_are_no_choice(gold: str, answer: str) -> None:
    assert outcome(gold, answer) is not Outcome.MATCH


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("C", "(C) 24"),
        ("(C)", r"\textbf{(C)}\ 24"),
        ("B", "B. I only"),
        ("A", "(A) I and II"),
        ("D", "(D) Not enough information"),
        ("E", "(E) none of the above"),
        (r"\textbf{(C)}\ 24", "C"),
        ("(E) both (A) and (B)", "E"),
    ],
)
def test_one_letter_with_its_words_is_a_choice(gold: str, answer: str) -> None:
    assert outcome(gold, answer) is Outcome.MATCH


@pytest.mark.parametrize(
    "answer",
    [
        r"3\text{ or 4 or 5 or 6}", r"3\text{ (or 4)}", r"3\text{ or four}", r"3\mbox{ or 13}",
        r"3\text{ not }", r"3\text{ no, it is six}", r"3\text{ apples or 4}", r"3\text{apples, 4}",
        r"3\text{ apples but four}", r"3\text{ [4]}", r"3\text{cm or inches}", r"3 or four",
        r"3\text{ apples}\text{ or 4}", r"3\text{ apples/four}", r"3\text{ cm}^{\text{or 4}}",
        r"3\text{ million or 4}", r"3\text{ where it may be or 4}", r"3\text{ maybe}",
    ],
)  # fmt: skip
def test_words_that_say_more_are_no_unit(answer: str) -> None:
    for gold in ("3", "3000000"):
        assert outcome(gold, answer) is not Outcome.MATCH


@pytest.mark.parametrize(
    "answer",
    [
        r"3\text{ cm}^2", r"3\text{ cm^2}", r"3\text{ cm}^{-1}", r"3\text{ miles per hour}",
        r"3\text{ sq. ft.}", r"3\text{ different ways}", r"3\text{ in}", r"3\text{ apples}",
        r"3\text{ cups of flour}", r"3\text{ m/s}^2",
    ],
)  # fmt: skip
def test_units_are_read(answer: str) -> None:
    assert outcome("3", answer) is Outcome.MATCH


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("1/3", r"x=1/3\approx 0.33"), ("4", "3+1=4"), (r"\sqrt2", r"\sqrt2\approx 1.41"),
        ("2/3", r"2/3\approx 0.66"), ("1234", r"1234\approx 1200"), (r"50\%", r"\frac12=50\%"),
        ("1000", r"1\text{ km}=1000\text{ m}"), ("1/2", r"e=\frac12"), ("3", "x=1+2=3"),
        ("2", r"2^{10}=2\pmod{7}"), (r"\pi/6", r"30^\circ=\frac{\pi}{6}"), ("x=3", "1+2=3"),
        # What comes before the last value is working, right or wrong.
        ("11", "x=5+5+1=7=11"), ("5", "2+2=5"), ("x=2", "5=2"), ("3", "1=2=3"), ("3", r"\pi=3"),
        ("(3,4)", "(5=3,4)"), ("3", r"x=3\approx 4"), ("1/3", r"1/3\approx 0.34"),
        ("3", "10^{10^{10}}=3"),
    ],
)  # fmt: skip
def test_a_chain_answers_with_its_last_exact_value(gold: str, answer: str) -> None:
    assert outcome(gold, answer) is Outcome.MATCH


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("7", "x=5+5+1=7=11"), ("11", "x=11=7"), ("4", "2+2=5"), ("3", "4=5=3=2"),
        ("4", r"x=3\approx 4"), ("5", r"3\approx 5"), ("2", r"x=2=3\approx 2"),
    ],
)  # fmt: skip
def test_earlier_values_of_a_chain_are_no_answer(gold: str, answer: str) -> None:
    assert outcome(gold, answer) is Outcome.NO_MATCH


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("x", "x+10^{-15}"),
        ("x", r"x(1+10^{-15})"),
        ("x+y=0", "x+y=10^{-15}"),
        ("x>0", r"x+10^{-15}\cdot x\cdot x>0"),
        (r"\sin x", r"\sin x+10^{-15}"),
        (r"\sin x", r"\sin x+\frac{1}{20!}"),
        (r"\sin x", r"\sin x\cos(10^{-5}\cdot10^{-5})"),
        (r"\sin x", r"\sin x\tanh 40"),
        (r"\sin^2 x+\cos^2 x-1", r"10^{-5}\cdot 10^{-5}\cdot 10^{-5}"),
    ],
)
def test_small_differences_do_not_hide(gold: str, answer: str) -> None:
    assert outcome(gold, answer) is not Outcome.MATCH
    assert outcome(answer, gold) is not Outcome.MATCH


# ---------------------------------------------------------------- cost

PIECES = (  # noqa: SIM905
    r"\pm 1|\mp x|\%|'|!|!!|^\circ|^2|_a|_{a}|\bmod 7|\pmod 7|/2|*2|+1|-1|:2|=3|\approx 3|,1|;1|"
    r"\text{ or }1|\cup(0,1)|\cap[0,1]|\$|!x|x'|^{-1}|\in A|<1|\le x|\setminus\{1\}|\to 1|ab1|"
    r" cm|\text{ cm}|\dots|^x|\cdot x|\text{, }1|\choose 2|\over 2|(1)|f(x)|.3|\mid 1"
).split("|")
OPENERS = (  # noqa: SIM905
    r"(|[|\{|\sqrt{|\sqrt|\frac{1}{|\frac1|\sin|\sin(|\lfloor |-|+|\#|\left|\cancel|\cancel{|||"
    r"\lvert |{|\binom{1}{|\overline{|\log_|\pm|\angle |\text{|\mathrm{|x^{|x_{|f(|\max(|\det|"
    r"\sum_{k=1}^{9}|\int|\lim_{x\to 1}|\begin{matrix}|\mathbb|\$|e^|\boxed{|1 1/|\exp "
).split("|")  # fmt: skip
GOLDS = ("3", "x", r"\sin x", "(1,2)", "A", r"1\pm 2", "x<1", r"\{1,2\}")
CPU_S = 0.1


def hostile() -> list[str]:
    texts = []
    for piece in PIECES:
        texts += ["1" + piece * ((MAX_CHARS - 1) // len(piece)), "x" + piece * 30]
    for piece in filter(None, OPENERS):
        count = MAX_CHARS // len(piece)
        close = {"{": "}", "(": ")", "[": "]"}.get(piece[-1], "")
        texts += [piece * (count - 1) + "1", piece * (count // 2 - 2) + "1" + close * (count // 2)]
        texts.append(piece * 40 + "1" + close * 40)
    for left, right in zip(PIECES, PIECES[7:], strict=False):
        texts.append("x" + (left + right) * ((MAX_CHARS - 1) // len(left + right)))
    cell = r"\begin{matrix}1&2\\3&4\end{matrix}"
    texts += [cell * 30, "+".join([cell] * 60), r"(x=1\pm 2, 3)", r"(1\pm 1\pm 1\pm 1\pm 1, 2)"]
    for term in (
        r"\binom{999}{499}", "99999^{999}", "4000!", r"\frac{1}{99999^{999}}", "x^{999}",
        r"\frac{1}{1999!}", r"\log_{2}{4000!}", r"\sqrt{3999!}", r"\arctan 3", r"\sqrt{2}",
        r"\gcd(4000!,3998!)", r"\lfloor\sin x\rfloor", r"\lfloor x/7\rfloor", "e^{3}", r"\ln 7",
    ):  # fmt: skip
        for sign in ("+", r"\cdot ", "=", ","):
            count = MAX_CHARS // (len(term) + len(sign))
            texts.append(sign.join([term] * count))
    texts += [
        r"\sum_{i=1}^{300}\sum_{j=1}^{60} i^{99}j^{99}", r"\sum_{k=1}^{999} \frac{1}{k!}",
        r"\{" + ",".join(rf"\sqrt{{{n * n + 1}}}" for n in range(99)) + r"\}",
        "+".join(f"\\sin({n}x)" for n in range(250)) + "=y",
        ",".join(f"x<{n}" for n in range(600)), r"\cup".join(f"({n},{n + 2})" for n in range(400)),
    ]  # fmt: skip
    return [text[:MAX_CHARS] for text in texts]


def deep(frames: int, work: Callable[[], Result]) -> Result:
    return work() if frames == 0 else deep(frames - 1, work)


@pytest.mark.parametrize("gold", GOLDS)
def test_nothing_raises_and_nothing_is_dear(gold: str) -> None:
    for text in hostile():
        response = f"<answer>{text}</answer>"
        spent = []
        for _ in range(3):  # the fastest: a collection of garbage may fall into one
            reading.__globals__["_short"].cache_clear()
            reading.__globals__["_long"].cache_clear()
            started = time.process_time()
            deep(150, lambda: judge([gold], response, POLICY))  # noqa: B023
            spent.append(time.process_time() - started)
            if spent[-1] < CPU_S:
                break
        assert min(spent) < CPU_S, (text[:60], min(spent))


def test_hostile_references_raise_nothing() -> None:
    for text in hostile():
        judge([text], r"\boxed{3}", POLICY)
        judge([text], rf"<answer>{text[:-1]} </answer>", POLICY)


def test_depth_is_capped_with_a_reason() -> None:
    with pytest.raises(ParseError, match=f"more than {MAX_TREE_DEPTH} levels"):
        parse("1" + r"\%" * 1800)
    assert parse("x" + "!" * 11)


# ---------------------------------------------------------------- fairness


async def test_many_references_let_others_run() -> None:
    verifier = MathVerifier()
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(count())
    verdict = await verifier.check([f"{n}+x" for n in range(64)], r"\boxed{x+100}", POLICY)
    other.cancel()
    await verifier.close()
    assert verdict.outcome is Outcome.NO_MATCH
    assert turns >= 64


@pytest.mark.parametrize(
    "unit",
    [
        "(1) ", "①", "(a) (", "A(1,", "A(1,2), ", "maximum ", "and ", "the max = ", "if a then ",
        "a when b ", "f(x)=1, x<", "y=1 (x<", "is ", "x is 1 is ", "the is 1, ", "12, and 3 and ",
        "$x$ ", "\\(", "so, ", "no such n ", "5 of may ", "yes, ", "mr. a ", "12 (accept ", "a (b",
        "A, ", "(A)", "I and ", "option ", "\\text{a} ", "\\quad ", "Ann: 1, ", "ab cd ef: ", "if a>1, ", "Ann is 1 and ",
        "最大值为", "不存在", "是",
    ],
)  # fmt: skip
@pytest.mark.parametrize("length", [190, 390, 1_990, 100_000])
def test_readings_in_words_are_linear(unit: str, length: int) -> None:
    text = unit * (length // len(unit))
    started = time.process_time()
    for read in (labelled, value_in, folded, alternatives, choice, selection):
        read(text)
        read("the value " + text + "!")
    assert time.process_time() - started < 0.24 * slack()  # 12 readings of at most 20 ms


@pytest.mark.parametrize("unit", ["\\quad ", "\\quad\n", "1\\quad ", "x=1\n", "\\quad a"])
def test_gaps_are_linear(unit: str) -> None:
    text = unit * (3_990 // len(unit))
    started = time.process_time()
    clean(text)
    assert time.process_time() - started < 0.02 * slack()


@pytest.mark.parametrize("inner", ["({}B^{{T}})^{{12}}", "({}^{{-1}}+B^{{T}})^{{-1}}"])
def test_matrices_do_not_grow(inner: str) -> None:
    gold, answer = "A", "C"
    for _ in range(9):
        gold, answer = inner.format(gold), inner.format(answer)
    started = time.process_time()
    judge([gold], rf"\boxed{{{answer}}}", POLICY)
    judge([f"A{'BC' * 200}A^{{-1}}"], rf"\boxed{{B{'BC' * 200}A^{{-1}}}}", POLICY)
    assert time.process_time() - started < 0.2 * slack()


DEADLY = [
    ("m", r"\operatorname{lcm}(2^{-2^{64}},m)"),
    ("x", r"\gcd(2^{-2^{100}},x)"),
    ("x>2", r"\{n\in\mathbb{Z}\mid \gcd(12,\sqrt{2^{-2^{64}}})<n<e^{5}\}"),
    ("x", r"(2^{-2^{64}}-2^{-2^{64}}+5)!+x"),
    ("x", r"\lfloor 2^{-2^{70}}\rfloor+x"),
    ("1.5", "111111111111!"),
    ("x", "x^{2^{2^{50}}}"),
    ("5", r"\binom{10^{30}}{2}"),
    (r"\binom{2^{64}}{2}+x", "x"),
    ("5", r"\binom{4}{18446744073709551616}"),
]
COSTLY = [
    ("5", r"5+0\cdot\sum_{k=1}^{150}\binom{ki/7}{i/11}+2^{1300}-2^{1300}"),
    ("5", r"5+0\cdot\sum_{k=1}^{150}\Gamma(ki/7+1/3)+2^{1300}-2^{1300}"),
    ("5", r"5+0\cdot\sum_{k=1}^{200}\operatorname{erf}(7i+k/7)+2^{1100}-2^{1100}"),
]


def test_no_answer_ends_the_process() -> None:
    """FLINT aborts where an exponent is too large for it: in a process of its own."""
    code = (
        "import sys, json; from verifier.math import MathPolicy; "
        "from verifier.math.check import judge\n"
        r"for gold, answer in json.load(sys.stdin): judge([gold], rf'\boxed{{{answer}}}', MathPolicy())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(DEADLY), text=True, timeout=60, check=False
    )
    assert done.returncode == 0


@pytest.mark.parametrize(("gold", "answer"), COSTLY)
def test_costly_functions_are_charged(gold: str, answer: str) -> None:
    started = time.process_time()
    found, _ = judge([gold], rf"\boxed{{{answer}}}", POLICY)
    assert time.process_time() - started < 0.1 * slack()
    assert found.outcome is not Outcome.MATCH


@pytest.mark.parametrize(
    "response",
    [
        ",".join([r"\boxed{" + "{}" * 8_100 + "}"] * 64),
        r"\boxed{" * 33 + "{" * 16_000,
        " ".join([r"\boxed{1"] * 40) + "{" * 16_000,
    ],
)
def test_boxes_are_searched_in_bounded_time(response: str) -> None:
    started = time.process_time()
    judge(["5"], response, POLICY)
    assert time.process_time() - started < 0.05 * slack()
