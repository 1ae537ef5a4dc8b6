"""What must hold for every expression, every number and every text."""

import itertools
import time
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.math.check import judge
from verifier.math.exact import exact
from verifier.math.extract import extract
from verifier.math.latex import to_latex
from verifier.math.numeric import compare
from verifier.math.policy import MathPolicy, Outcome
from verifier.math.syntax.parser import parse
from verifier.math.syntax.tokens import ParseError
from verifier.math.tree import (
    Const,
    Matrix,
    Node,
    Num,
    Op,
    Rel,
    Seq,
    Sym,
    Text,
    children,
    from_json,
    to_json,
    walk,
)

POLICY = MathPolicy()

numbers = st.one_of(
    st.integers(0, 10**6).map(Num),
    st.integers(1, 60).map(Num),
    st.builds(lambda n, p: Num(Fraction(n, 10**p), p), st.integers(1, 10**5), st.integers(1, 4)),
)
leaves = st.one_of(
    numbers,
    st.sampled_from([Sym("x"), Sym("y"), Sym("a"), Sym("b_1"), Sym("theta")]),
    st.sampled_from([Const("pi"), Const("e")]),
)


def _is(node: Node, *names: str) -> bool:
    return isinstance(node, Op) and node.name in names


def _compound(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    pairs = st.tuples(parts, parts)
    factors = pairs.filter(lambda p: not _is(p[0], "mul"))
    return st.one_of(
        st.tuples(parts, parts).map(lambda p: Op("add", p)),
        factors.map(lambda p: Op("mul", p)),
        pairs.map(lambda p: Op("div", p)),
        st.tuples(parts, st.integers(0, 5).map(Num)).map(lambda p: Op("pow", p)),
        parts.filter(lambda p: not isinstance(p, Num)).map(lambda p: Op("neg", (p,))),
        parts.map(lambda p: Op("sqrt", (p,))),
        parts.map(lambda p: Op("sin", (p,))),
        parts.map(lambda p: Op("abs", (p,))),
    )


expressions = st.recursive(leaves, _compound, max_leaves=12)
complex_numbers = st.tuples(numbers, numbers).map(
    lambda p: Op("add", (p[0], Op("mul", (p[1], Const("i")))))
)
whole = st.integers(1, 60).map(Num)


def _rarer(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Operators that the symbolic step or the special cases of the verifier know."""
    return st.one_of(
        _compound(parts),
        st.tuples(parts, st.sampled_from([Num(2), Num(10), Sym("a")])).map(lambda p: Op("log", p)),
        st.tuples(parts, st.integers(3, 9).map(Num)).map(lambda p: Op("root", p)),
        st.sampled_from(
            ["floor", "ceil", "ln", "tan", "arctan", "sinh", "exp", "fact", "bar"]
        ).flatmap(lambda name: parts.map(lambda part: Op(name, (part,)))),
        st.tuples(whole, whole).map(lambda p: Op("binom", p)),
        st.tuples(parts, parts).map(lambda p: Op("pm", p)),
        parts.filter(lambda part: not isinstance(part, Num)).map(lambda part: Op("pm", (part,))),
        st.tuples(st.sampled_from(["sum", "prod"]), whole, parts, parts).map(
            lambda p: Op(p[0], (Sym("k"), p[1], p[2], Op("mul", (Sym("k"), p[3]))))
        ),
        st.tuples(whole, parts, parts).map(lambda p: Op("int", (Sym("t"), *p))),
        parts.map(lambda part: Op("lim", (Sym("n"), Const("oo"), part))),
    ).filter(lambda tree: not _is(tree, "mul") or not _is(children(tree)[0], "mul"))


rich = st.recursive(st.one_of(leaves, complex_numbers), _rarer, max_leaves=8)


def _relation(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    ops = st.sampled_from(["=", "<", ">", "<=", ">=", "!=", "~"])
    one = st.tuples(ops, parts).map(lambda p: Rel((p[0],), (Sym("z"), p[1])))
    bounds = st.tuples(parts, parts).map(lambda p: Rel(("<", "<="), (p[0], Sym("z"), p[1])))
    return st.one_of(one, bounds)


def _structured(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    pairs, rows = st.tuples(parts, parts), st.lists(parts, min_size=2, max_size=3).map(tuple)
    intervals = st.tuples(st.sampled_from("(["), pairs, st.sampled_from(")]")).map(
        lambda p: Seq(p[0], p[2], p[1])
    )
    return st.one_of(
        parts,
        intervals,
        rows.map(lambda row: Seq("", "", row)),
        rows.map(lambda row: Seq("{", "}", row)),
        rows.map(lambda row: Seq("<", ">", row)),
        st.tuples(rows, st.sampled_from(["or", "and"])).map(lambda p: Seq("", "", *p)),
        st.tuples(_relation(parts), _relation(parts), st.sampled_from(["or", "and"])).map(
            lambda p: Seq("", "", p[:2], p[2])
        ),
        st.tuples(intervals, intervals).map(lambda p: Op("union", p)),
        pairs.map(
            lambda p: Op("such", (Sym("z"), Rel(("<",), (p[0], Op("mul", (Sym("z"), p[1]))))))
        ),
        _relation(parts),
        st.tuples(pairs, pairs).map(Matrix),
        pairs.map(lambda p: Op("ratio", p)),
        st.tuples(numbers, st.sampled_from(["cm", "kg", "m^2", "hours", "$"])).map(
            lambda p: Op("unit", (p[0], Text(p[1])))
        ),
        numbers.map(lambda number: Op("percent", (number,))),
        numbers.map(lambda number: Op("deg", (number,))),
        pairs.map(
            lambda p: Op("cases", (p[0], Rel((">",), (Sym("z"), Num(0))), p[1], Text("otherwise")))
        ),
    )


structures = _structured(rich)
plain_structures = _structured(expressions)


def outcome(gold: str, answer: str) -> Outcome:
    return judge([gold], rf"So $\boxed{{{answer}}}$.", POLICY)[0].outcome


@settings(max_examples=600, deadline=None)
@given(structures)
def test_print_and_parse_round_trip(tree: Node) -> None:
    assert parse(to_latex(tree)) == tree
    assert from_json(to_json(tree)) == tree


@settings(max_examples=200, deadline=None)
@given(structures)
def test_an_expression_equals_itself(tree: Node) -> None:
    text = to_latex(tree)
    assert outcome(text, text) is Outcome.MATCH
    spaced = text.replace("+", " + ").replace(r"\frac", r"\dfrac")
    assert outcome(text, spaced) is Outcome.MATCH


def _mapped(node: Node, change: Callable[[Node], Node]) -> Node:
    """The tree with its direct parts changed, in reading order."""
    if isinstance(node, Op):
        return Op(node.name, tuple(map(change, node.args)))
    if isinstance(node, Seq):
        return Seq(node.open, node.close, tuple(map(change, node.items)), node.joined)
    if isinstance(node, Rel):
        return Rel(node.ops, tuple(map(change, node.items)))
    if isinstance(node, Matrix):
        return Matrix(tuple(tuple(map(change, row)) for row in node.rows))
    return node


def _renumbered(tree: Node, change: Callable[[int, Num], Num]) -> Node:
    """The tree with its numbers changed, counted in reading order."""
    places = itertools.count()

    def copy(node: Node) -> Node:
        return change(next(places), node) if isinstance(node, Num) else _mapped(node, copy)

    return copy(tree)


def _rewritten(tree: Node) -> Node:
    """The same, with terms and the elements of sets in the other order, and quotients as powers."""
    node = _mapped(tree, _rewritten)
    if isinstance(node, Seq) and node.open == "{":
        return Seq("{", "}", node.items[::-1])
    if isinstance(node, Op) and node.name == "add":
        return Op(node.name, node.args[::-1])
    if isinstance(node, Op) and node.name == "div":
        return Op("mul", (node.args[0], Op("pow", (node.args[1], Num(-1)))))
    return node


def _nudged(tree: Node, place: int) -> Node:
    """The tree with 1 added to the number at a place, counted around; itself without any."""
    count = sum(isinstance(part, Num) for part in walk(tree)) or 1
    return _renumbered(
        tree,
        lambda at, number: Num(number.value + 1, number.places) if at == place % count else number,
    )


MOST_NUMBERS = 8
STEPS = st.lists(st.integers(3, 9), min_size=MOST_NUMBERS, max_size=MOST_NUMBERS)


def _every_number_tells(tree: Node) -> bool:
    """`z < 3 or z < 7` says no more than its second part."""
    parts = children(tree) if isinstance(tree, Seq) else ()
    return all(part.ops == ("=",) for part in parts if isinstance(part, Rel))


@settings(max_examples=500, deadline=None)
@given(_structured(st.just(Num(1))), STEPS, st.integers(0, MOST_NUMBERS))
def test_a_perturbed_number_anywhere_never_matches(
    shape: Node, steps: list[int], place: int
) -> None:
    rising = list(itertools.accumulate(steps))  # no interval is empty, no item twice there
    tree = _renumbered(shape, lambda at, number: Num(rising[at % MOST_NUMBERS]))
    gold, answer = to_latex(tree), to_latex(_nudged(tree, place))
    if _every_number_tells(tree) and gold != answer:
        assert outcome(gold, answer) is not Outcome.MATCH
        assert outcome(answer, gold) is not Outcome.MATCH


@settings(max_examples=400, deadline=None)
@given(plain_structures, st.integers(0, 50), st.booleans())
def test_verdicts_are_symmetric(tree: Node, place: int, nudge: bool) -> None:
    gold = to_latex(tree)
    answer = to_latex(_nudged(tree, place) if nudge else _rewritten(tree))
    assert outcome(gold, answer) is outcome(answer, gold)
    assert nudge or outcome(gold, answer) is not Outcome.NO_MATCH


@pytest.mark.parametrize("first", [r"\frac{0}{0}", r"\sin\sqrt{\frac{1}{0}}", "1"])
def test_values_that_cannot_be_told_apart_are_not_counted(first: str) -> None:
    two, one = rf"z={first}\text{{ or }}z=\frac{{2}}{{0}}", r"z=\frac{2}{0}\text{ or }z=\frac{2}{0}"
    assert outcome(two, one) is outcome(one, two) is Outcome.UNDECIDED


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("e^{500}", "e^{500}+1"),
        (r"\sinh 400", r"\sinh 400+10^{-3}"),
        (r"\sin\sqrt{-(19 \cdot 28)}", r"\sin\sqrt{-(19 \cdot 28)}+\frac{1}{1000}"),
        ("10^{400}", "10^{400}+1"),
        ("2^{2000}", "2^{2000}-1"),
        (r"\cosh 600", r"\sinh 600"),
        ("e^{e^{6}}", r"e^{e^{6}}+\pi"),
        ("111111111111!", "1.234567"),
        ("i^{2^{2^{45}}}", "i"),
        (r"\binom{2^{2^{45}}}{3}", r"\binom{2^{2^{45}}}{4}"),
        ("(2^{2^{50}})!", "(2^{2^{51}})!"),
    ],
)
def test_a_little_beside_a_lot_never_matches(gold: str, answer: str) -> None:
    assert outcome(gold, gold) is Outcome.MATCH
    assert outcome(gold, answer) is not Outcome.MATCH
    assert outcome(answer, gold) is not Outcome.MATCH


@settings(max_examples=150, deadline=None)
@given(expressions, expressions)
def test_sums_and_products_commute(a: Node, b: Node) -> None:
    for name in ("add", "mul"):
        found = compare(Op(name, (a, b)), Op(name, (b, a)))
        assert found.equal is not False


@settings(max_examples=150, deadline=None)
@given(expressions, expressions)
def test_scalar_comparison_is_symmetric(a: Node, b: Node) -> None:
    assert compare(a, b).equal == compare(b, a).equal


@settings(max_examples=150, deadline=None)
@given(expressions, st.integers(1, 1000), st.sampled_from([10, 1000, 10**6]))
def test_a_shifted_expression_never_matches(tree: Node, top: int, bottom: int) -> None:
    shifted = Op("add", (tree, Op("div", (Num(top), Num(bottom)))))
    assert outcome(to_latex(tree), to_latex(shifted)) is not Outcome.MATCH


@settings(max_examples=300, deadline=None)
@given(st.integers(-(10**40), 10**40), st.integers(1, 10**6))
def test_a_perturbed_integer_never_matches(number: int, shift: int) -> None:
    assert outcome(str(number), str(number)) is Outcome.MATCH
    assert outcome(str(number), str(number + shift)) is Outcome.NO_MATCH
    assert outcome(f"{number:,}", str(number)) is Outcome.MATCH


@settings(max_examples=300, deadline=None)
@given(
    st.fractions(max_denominator=10**9),
    st.fractions(min_value=Fraction(1, 10**9), max_denominator=10**9),
)
def test_a_perturbed_fraction_never_matches(value: Fraction, shift: Fraction) -> None:
    def latex(number: Fraction) -> str:
        return rf"\frac{{{number.numerator}}}{{{number.denominator}}}"

    assert outcome(latex(value), f"{value.numerator}/{value.denominator}") is Outcome.MATCH
    assert outcome(latex(value), latex(value + shift)) is Outcome.NO_MATCH


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 8), st.integers(1, 9))
def test_a_perturbed_decimal_never_matches(digits: int, places: int, shift: int) -> None:
    number, other = _decimal(digits, places), _decimal(digits + shift, places)
    assert outcome(number, number + "0") is Outcome.MATCH
    assert outcome(number, other) is Outcome.NO_MATCH


def _decimal(digits: int, places: int) -> str:
    text = str(digits).rjust(places + 1, "0")
    return f"{text[:-places]}.{text[-places:]}"


WORDS = (
    r"\frac \sqrt { } ( ) [ ] | 1 23 .5 x e i \pi + - * / ^ _ = < \le , ; \text{ and or \left"
    r" \right & \\ \begin{pmatrix} \end{pmatrix} \sum_ \int d ! % \circ \{ \} \cup \in \pm sin"
    r" \log \binom \overline 0. ... : cm 12,345 \mathbb{R} \infty ² √ ' \mathrm{ \bmod f(x)"
    r" \forall \choose \angle \$ word"
)
SOUP = st.lists(st.sampled_from(WORDS.split(" ")), max_size=40).map("".join)
TEXTS = st.one_of(st.text(max_size=200), SOUP)


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_the_parser_raises_nothing_but_its_own_error(text: str) -> None:
    spent = []
    for _ in range(3):  # the fastest: a collection of garbage may fall into one
        started = time.process_time()
        try:
            tree = parse(text)
        except ParseError:
            pass
        else:
            assert from_json(to_json(tree)) == tree
        spent.append(time.process_time() - started)
    assert min(spent) < 0.05


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS)
def test_judging_never_raises(gold: str, answer: str) -> None:
    judge([gold], rf"\boxed{{{answer}}}", POLICY)
    judge(["5"], answer, MathPolicy(free_text=True))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_spans_lie_in_the_response(text: str) -> None:
    found = extract(text, free_text=True)
    if found is not None:
        assert 0 <= found.start <= found.end <= len(text)


@settings(max_examples=100, deadline=None)
@given(expressions)
def test_exact_and_numeric_agree(tree: Node) -> None:
    value = exact(tree)
    if value is not None:
        text = rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
        assert outcome(to_latex(tree), text) is Outcome.MATCH
