"""Countdown: answers built from given numbers (MathPolicy.numbers)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest
from google.protobuf import json_format
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.limits import Limits
from verifier.math import MathPolicy, Outcome, Tier, check
from verifier.math.countdown import MAX_DEPTH, judged
from verifier.math.policy import MAX_NUMBERS
from verifier.v1 import verifier_pb2 as pb
from verifier.validate import problem

NUMBERS = (3, 5, 5, 9)


def found(answer: str, target: int | Fraction = 23, numbers: tuple[int, ...] = NUMBERS) -> str:
    return judged(answer, numbers, Fraction(target))[0]


# ---------------------------------------------------------------- what is right


@pytest.mark.parametrize(
    "answer",
    [
        "5*(9-5)+3",
        " 3 + 5 * ( 9 - 5 ) ",
        "5*(9-5)+3=23",
        "5 × (9 − 5) + 3 = \\frac{46}{2}",
        "$5 \\times \\left(9 \\cdot \\frac{5}{5} - 3\\right)$",  # another target below
        "-(5*(5-9)-3)",
        "+3--5*(9-5)",
        "((5)*((9)-(5)))+(3)",
        "3+5*(9-05)",
    ],
)
def test_right_answers(answer: str) -> None:
    if "frac{5}{5}" in answer:
        assert found(answer, 30, (5, 9, 5, 5, 3)) == ""
    else:
        assert found(answer) == ""


def test_rational_steps_are_exact() -> None:
    assert found("8/(3-8/3)", 24, (8, 3, 8, 3)) == ""
    assert found("1/3+1/3+1/3", 1, (1, 1, 1, 3, 3, 3)) == ""
    assert found("1/3", Fraction(1, 3), (1, 3)) == ""
    assert found("1/3 = 0.333333333333", Fraction(1, 3), (1, 3)) != ""


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("5*(9-5)+3*3", "uses 3 twice"),
        ("5+5+5+9-3", "uses 5 3 times, given twice"),
        ("5*9-3", "uses 5 once, given twice"),
        ("5*5-9", "does not use 3"),
        ("23", "uses 23, which is not among the numbers"),
        ("5*(9-5)+3*1", "uses 1, which is not among the numbers"),
        ("59-5*3", "uses 59, which is not among the numbers"),
        ("5*5-9/3", "equals 22, not 23"),
        ("5*5-3/9", "equals 74/3, not 23"),
        ("9*3/(5-5)", "divides by zero"),
        ("5*(9-5)+3=24", "equals 23, not '24' as it says"),
        ("5*(9-5)+3=", "equals 23, not '' as it says"),
        ("5*(9-5)+3=23=23", "equals 23, not '23=23' as it says"),
        ("23=5*(9-5)+3", "uses 23, which is not among the numbers"),
        ("5(9-5)+3", "not an arithmetic expression: unexpected '('"),
        ("5*(9-5)+3 apples", "not an arithmetic expression: unexpected 'a'"),
        ("5*(9-5)+", "not an arithmetic expression: ends too early"),
        ("5*(9-5", "not an arithmetic expression: expected ')', got 'the end'"),
        ("", "not an arithmetic expression: ends too early"),
        ("5 5 9 3", "not an arithmetic expression: unexpected '5'"),
        ("5**9-5-3", "not an arithmetic expression: unexpected '*'"),
        ("5//5*9+3", "not an arithmetic expression: unexpected '/'"),
        ("5.0*(9-5)+3", "not an arithmetic expression: unexpected '.'"),
        ("5*(9-٥)+3", "not an arithmetic expression: unexpected '٥'"),
        ("\\frac{5}5+9+3", "not an arithmetic expression: expected '{', got '5'"),
        ("__import__('os').system('id')", "not an arithmetic expression: unexpected '_'"),
        ("9" * 4001, "not an arithmetic expression: a number of 4001 digits"),
    ],
)
def test_wrong_answers_and_why(answer: str, reason: str) -> None:
    assert found(answer) == reason


def test_hostile_nesting_is_refused_not_met() -> None:
    limit = f"not an arithmetic expression: more than {MAX_DEPTH} brackets and signs inside"
    for text in ("(" * 3000 + "5", "-" * 3000 + "5", "\\frac{" * 700):
        assert found(text).startswith(limit)
    deep = MAX_DEPTH - 1
    assert found("(" * deep + "5" + ")" * deep, 5, (5,)) == ""


# ---------------------------------------------------------------- what must hold


@dataclass(frozen=True)
class Tree:
    """An expression with its value as this test computes it."""

    text: str
    numbers: tuple[int, ...]
    value: Fraction


def _joined(signs: dict[str, str]) -> Callable[[Tree, str, Tree], Tree | None]:
    def join(left: Tree, operator: str, right: Tree) -> Tree | None:
        values: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
            "+": Fraction.__add__,
            "-": Fraction.__sub__,
            "*": Fraction.__mul__,
            "/": Fraction.__truediv__,
        }
        if operator == "/" and right.value == 0:
            return None
        return Tree(
            f"({left.text}{signs[operator]}{right.text})",
            left.numbers + right.numbers,
            values[operator](left.value, right.value),
        )

    return join


PLAIN = _joined({sign: sign for sign in "+-*/"})
TYPESET = _joined({"+": " + ", "-": "−", "*": " \\times ", "/": "÷"})
leaves = st.integers(0, 10**6).map(lambda n: Tree(str(n), (n,), Fraction(n)))


def _trees(parts: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    joined = st.builds(
        lambda join, a, op, b: join(a, op, b),
        st.sampled_from([PLAIN, TYPESET]),
        parts,
        st.sampled_from("+-*/"),
        parts,
    )
    negated = parts.map(lambda t: Tree(f"(-{t.text})", t.numbers, -t.value))
    return st.one_of(joined.filter(lambda tree: tree is not None), negated)


trees = st.recursive(leaves, _trees, max_leaves=8)


@given(trees, st.booleans(), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_every_expression_of_the_numbers_is_accepted(
    tree: Tree, told: bool, random: object
) -> None:
    numbers = list(tree.numbers)
    random.shuffle(numbers)  # type: ignore[attr-defined]
    answer = tree.text + (f" = {tree.value}" if told else "")
    verdict = check(
        [str(tree.value)], f"<answer>{answer}</answer>", MathPolicy(numbers=tuple(numbers))
    )
    assert (verdict.outcome, verdict.detail) == (Outcome.MATCH, "")
    assert verdict.tier is Tier.EXACT
    assert verdict.canonical_answer == str(tree.value)


@given(trees, st.data())
@settings(max_examples=300, deadline=None)
def test_any_other_multiset_is_refused(tree: Tree, data: st.DataObject) -> None:
    numbers = list(tree.numbers)
    change = data.draw(st.sampled_from(["add", "drop", "swap"]))
    if change != "add":
        numbers.pop(data.draw(st.integers(0, len(numbers) - 1)))
    if change != "drop":
        numbers.append(data.draw(st.one_of(st.sampled_from(tree.numbers), st.integers(0, 10**6))))
    assume(numbers and Counter(numbers) != Counter(tree.numbers))
    wrong, value = judged(tree.text, numbers, tree.value)
    assert re.match(r"uses \d+|does not use \d+", wrong)
    assert value is None


@given(trees, st.fractions())
@settings(max_examples=200, deadline=None)
def test_any_other_value_is_refused(tree: Tree, other: Fraction) -> None:
    assume(other != tree.value)
    assert judged(tree.text, tree.numbers, other)[0].startswith("equals ")
    assert judged(f"{tree.text}={other}", tree.numbers, tree.value)[0].endswith("as it says")


@given(st.text(alphabet="0123456789+-*/()=×÷ {}\\frac.,x", max_size=40))
@settings(max_examples=500, deadline=None)
def test_no_text_raises(answer: str) -> None:
    wrong, value = judged(answer, NUMBERS, Fraction(23))
    assert isinstance(wrong, str)
    assert wrong or value == 23


# ---------------------------------------------------------------- in the package and the service


def test_answers_are_found_as_ever() -> None:
    policy = MathPolicy(numbers=NUMBERS)
    boxed = check(["23"], "<think>5*5</think> So \\boxed{5*(9-5)+3}.", policy)
    assert (boxed.outcome, boxed.source) == (Outcome.MATCH, "boxed")
    assert check(["23"], "<think>5*(9-5)+3", policy).outcome is Outcome.NO_ANSWER
    assert check(["23"], "<answer> </answer>", policy).outcome is Outcome.NO_ANSWER
    assert check(["23"], f"<answer>{'5+' * 2500}5</answer>", policy).outcome is Outcome.NO_MATCH


def test_references() -> None:
    policy = MathPolicy(numbers=NUMBERS)
    right = "<answer>5*(9-5)+3</answer>"
    assert check(["1", "\\frac{46}{2}"], right, policy).gold == "\\frac{46}{2}"
    assert check(["x", "23"], right, policy).outcome is Outcome.MATCH
    unread = check(["x", "\\pi"], right, policy)
    assert unread.outcome is Outcome.GOLD_UNPARSABLE
    assert unread.detail == "with math.policy.numbers a rational number, got 'x'"


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((3, -1), "numbers[1]: whole, of at most 18 digits, got -1"),
        ((10**18,), "numbers[0]: whole, of at most 18 digits, got 1000000000000000000"),
        (("3",), "numbers[0]: whole, of at most 18 digits, got '3'"),
        ((1,) * 21, "numbers: at most 20, got 21"),
    ],
)
def test_bad_policies(numbers: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        MathPolicy(numbers=numbers)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        (["3", "5"], None),
        (["007"], None),
        (["9" * 18] * MAX_NUMBERS, None),
        (["3", "-5"], "math.policy.numbers[1]: 1 to 18 digits and nothing else, got '-5'"),
        (["3.0"], "math.policy.numbers[0]: 1 to 18 digits and nothing else, got '3.0'"),
        ([""], "math.policy.numbers[0]: 1 to 18 digits and nothing else, got ''"),
        (["3\n"], "math.policy.numbers[0]: 1 to 18 digits and nothing else, got '3\\n'"),
        (["٣"], "math.policy.numbers[0]: 1 to 18 digits and nothing else, got '٣'"),
        (["9" * 19], f"math.policy.numbers[0]: 1 to 18 digits and nothing else, got '{'9' * 19}'"),
        (["1"] * 21, "math.policy.numbers: at most 20, got 21"),
    ],
)
def test_validation(numbers: list[str], message: str | None) -> None:
    fields = {"math": {"gold": ["4"], "policy": {"numbers": numbers}}}
    assert problem(json_format.ParseDict(fields, pb.Item()), Limits(), []) == message


def test_through_the_service(server: EmbeddedServer) -> None:
    def item(answer: str, numbers: list[str]) -> pb.Item:
        policy = {"numbers": numbers}
        return pb.Item(
            response=f"<think>t</think> <answer>{answer}</answer>",
            recipe="r1_zero",
            math={"gold": ["23"], "policy": policy},  # type: ignore[arg-type]
        )

    given = ["3", "5", "5", "9"]
    with VerifierClient(server.address) as client:
        right, wrong, bad = client.verify(
            [item("5*(9-5)+3 = 23", given), item("5*9-3", given), item("1", ["x"])]
        )
    assert (right.status, right.parts[0].score) == (pb.Verdict.OK, 1)
    assert list(right.evidence.math.policy.numbers) == given
    assert right.evidence.math.tier == pb.MathEvidence.exact
    assert (wrong.status, wrong.parts[0].score) == (pb.Verdict.OK, 0)
    assert wrong.parts[0].reason == pb.Part.no_match
    assert wrong.parts[0].detail == "uses 5 once, given twice"
    assert bad.status == pb.Verdict.INVALID
    assert bad.evidence.message == (
        "math.policy.numbers[0]: 1 to 18 digits and nothing else, got 'x'"
    )


def test_the_example_of_the_page() -> None:
    page = (Path(__file__).parents[3] / "docs" / "math.md").read_text()
    section = page[page.index("## Countdown") :]
    code = section[section.index("```python\n") + 10 :]
    exec(code[: code.index("```")], {"check": check, "MathPolicy": MathPolicy})  # noqa: S102
