r"""Answers made wrong on purpose: no mutation that cannot keep the meaning may match.

Each mutation takes a reference and changes one thing that surely changes what it says.
The references are those of the tables beside this file.
"""

import re
from collections.abc import Callable, Iterator

import pytest

from tests.verifier.math import test_compare, test_families, test_many_values
from verifier.math.check import DEFAULT_POLICY, judge
from verifier.math.policy import Outcome

TABLES = (test_families.FAMILIES, test_compare.PAIRS, test_many_values.PAIRS)
REFERENCES = sorted(
    {
        gold
        for table in TABLES
        for rows in table.values()
        for gold, _, verdict in rows
        if verdict is True
    }
)

Mutation = Callable[[str], Iterator[str]]

_NUMBER = r"-?(?:\d{1,9}(?:\.\d{1,9})?|\\[dt]?frac\{\d{1,9}\}\{\d{1,9}\}|\\sqrt\{?\d{1,9}\}?)"
_EXACT = re.compile(_NUMBER)
_TUPLE = re.compile(rf"\(({_NUMBER}(?:, ?{_NUMBER})+)\)")
_SET = re.compile(rf"\\\{{({_NUMBER}(?:, ?{_NUMBER})+)\\\}}")
_INTERVAL = re.compile(r"([\[(])([^\[\](),]+,[^\[\](),]+)([\])])")


def other_digit(gold: str) -> Iterator[str]:
    """A lone number, tuple or set with one digit changed."""
    if not any(kind.fullmatch(gold) for kind in (_EXACT, _TUPLE, _SET)):
        return
    if "sqrt" in gold or "frac" in gold:
        return  # 2/4 and 1/2: a digit may be one that cancels
    for found in re.finditer(r"\d", gold):
        digit = str((int(found[0]) + 1) % 10)
        yield gold[: found.start()] + digit + gold[found.end() :]


def other_sign(gold: str) -> Iterator[str]:
    """A number other than nought with the other sign."""
    if _EXACT.fullmatch(gold) and re.search(r"[1-9]", gold):
        yield gold[1:] if gold.startswith("-") else "-" + gold


def reciprocal(gold: str) -> Iterator[str]:
    found = re.fullmatch(r"\\frac\{(\d+)\}\{(\d+)\}", gold)
    if found and found[1] != found[2]:
        yield rf"\frac{{{found[2]}}}{{{found[1]}}}"


def fewer_items(gold: str) -> Iterator[str]:
    """A set or a tuple without one of its items, or with one more."""
    for kind, start, end in ((_SET, r"\{", r"\}"), (_TUPLE, "(", ")")):
        found = kind.fullmatch(gold)
        if found is None:
            continue
        items = [item.strip() for item in found[1].split(",")]
        if len(set(items)) < len(items):
            continue
        for place in range(len(items)):
            kept = items[:place] + items[place + 1 :]
            yield start + ", ".join(kept) + end
        yield start + ", ".join([*items, "9173"]) + end


def swapped(gold: str) -> Iterator[str]:
    """A tuple with two of its items exchanged."""
    found = _TUPLE.fullmatch(gold)
    items = [item.strip() for item in found[1].split(",")] if found else []
    for place in range(len(items) - 1):
        if items[place] != items[place + 1]:
            turned = [*items]
            turned[place : place + 2] = turned[place + 1], turned[place]
            yield "(" + ", ".join(turned) + ")"


def other_bracket(gold: str) -> Iterator[str]:
    """An interval with the bracket at a finite end changed."""
    found = _INTERVAL.fullmatch(gold)
    if found is None or "infty" in found[2]:
        return
    yield {"[": "(", "(": "["}[found[1]] + found[2] + found[3]
    yield found[1] + found[2] + {"]": ")", ")": "]"}[found[3]]


def other_bound(gold: str) -> Iterator[str]:
    r"""An inequality between a letter and a number with < for \le or the other way."""
    found = re.fullmatch(rf"([a-z] ?)(<|>|\\le|\\ge)( ?{_NUMBER})", gold)
    if found:
        for op in ("<", ">", r"\le ", r"\ge "):
            if op.strip() != found[2]:
                yield found[1] + op + found[3]


def other_letter(gold: str) -> Iterator[str]:
    """An expression in x written in a letter that stands for something else."""
    if re.fullmatch(r"[x0-9+\-^ ]*x[x0-9+\-^ ]*", gold) and not re.search("[a-wyz]", gold):
        yield gold.replace("x", "q")


def one_of_two(gold: str) -> Iterator[str]:
    """A value or something else, something beside the value, and doubts."""
    if _EXACT.fullmatch(gold):
        yield rf"{gold} \text{{ or }} 9173"
        yield f"{gold}, 9173"
        yield rf"\text{{not }} {gold}"
        yield rf"{gold} \pm 9173"
        yield rf"x \ge {gold}"


def declared(gold: str) -> Iterator[str]:
    """Texts that would answer for anything if their letters could take any value."""
    free = (
        r"x=c, c\in\mathbb{R}", r"t, t\in\mathbb{R}", r"k, k\in\mathbb{Z}",
        r"f(x)=c, c\in\mathbb{R}", "x=x", r"\{a\}", r"\infty-\infty", r"\frac00", r"\pm", r"\dots",
        r"\text{the answer}", r"x\equiv0\pmod1", r"\{x : x=x\}", r"p, q, r", r"A, B, C, D",
    )  # fmt: skip
    if _EXACT.fullmatch(gold) or _TUPLE.fullmatch(gold) or re.fullmatch("[A-E]|[0-9]*[n-x]", gold):
        yield from (text for text in free if text.lower() != gold.lower())


MUTATIONS: tuple[Mutation, ...] = (
    other_digit, other_sign, reciprocal, fewer_items, swapped, other_bracket, other_bound,
    other_letter, one_of_two, declared,
)  # fmt: skip


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_no_mutation_matches(mutation: Mutation) -> None:
    tried = 0
    for gold in REFERENCES:
        for answer in mutation(gold):
            tried += 1
            verdict, _ = judge([gold], rf"\boxed{{{answer}}}", DEFAULT_POLICY)
            assert verdict.outcome is not Outcome.MATCH, (gold, answer, verdict.tier)
    assert tried > 2, "the tables hold nothing for this mutation"


UNIVERSAL = (
    (r"\max(a,b)", "(a,b)"), ("2n", r"f(x)=c, c\in\mathbb{R}"), ("B", r"x=c, c\in\mathbb{R}"),
    ("15x-80", r"f(x)=c, c\in\mathbb{R}"), ("n=k+4", r"\mathbb{Z}"), ("A", "A:B=1"),
    (r"\{2n-1 \mid n\in\mathbb{Z}\}", "y=2x+1"), (r"\{2k : k\in\mathbb{Z}\}", r"\mathrm{E}*2"),
    (r"\{2k : k\in\mathbb{Z}\}", "a_{n+1}=2a_n"), ("a_{n+1}-3a_n+2a_{n-1}=0", r"\{0\}"),
    (r"p=2 \text{ or } p=3", "(2,3)"), ("(2,3)", r"2 \text{ or } 3"),
    (r"x=1\text{ or }y=2", "x=1, y=2"), (r"a=3\text{ or }b\ne0", r"a=3\text{ and }b\ne0"),
    ("A=3, B=4", "(3,4]"), ("M=5, m=-3", "M=5, m=3"), ("x=1, t=2", "x=1, t=3"), ("a_n=2n", "a_n=2n, n>1"),
    (r"f\circ g", r"g\circ f"), (r"\sigma\circ\tau", r"\tau\circ\sigma"), ("[2,5]", "x_1=2, x_2=5"), ("1<x<2", "(x,y)=(1,2)"),
    ("(x,y)=(1,2)", "1<x<2"), (r"4\ge a>0", r"\{x \mid 0<x<5, x\in\mathbb{N}\}"),
    (r"0<m<4 \text{ and } m\ne1", "2,3"), ("最大值为 $5$，最小值为 $-3$", "-3"),
)  # fmt: skip


@pytest.mark.parametrize(("gold", "answer"), UNIVERSAL)
def test_found_by_crossing(gold: str, answer: str) -> None:
    """Pairs of different answers that once matched."""
    verdict, _ = judge([gold], rf"\boxed{{{answer}}}", DEFAULT_POLICY)
    assert verdict.outcome is not Outcome.MATCH, verdict.tier
