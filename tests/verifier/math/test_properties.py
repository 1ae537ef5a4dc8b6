"""What must hold for every expression, every number and every text."""

import time
from fractions import Fraction

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
from verifier.math.tree import Const, Node, Num, Op, Rel, Seq, Sym, from_json, to_json

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
structures = st.one_of(
    expressions,
    st.tuples(expressions, expressions).map(lambda p: Seq("(", ")", p)),
    st.tuples(expressions, expressions).map(lambda p: Seq("[", ")", p)),
    st.lists(expressions, min_size=1, max_size=3).map(lambda p: Seq("{", "}", tuple(p))),
    expressions.map(lambda p: Rel(("=",), (Sym("z"), p))),
)


def outcome(gold: str, answer: str) -> Outcome:
    return judge([gold], rf"So $\boxed{{{answer}}}$.", POLICY)[0].outcome


@settings(max_examples=200, deadline=None)
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
