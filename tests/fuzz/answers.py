r"""What must hold of any reference and any answer, for the fuzzer and for its corpus.

Each input is a reference and an answer, one on each line. What must hold for any text:
- the parser gives a tree or raises ParseError, and nothing else;
- a tree that is printed and read again is the same tree;
- the verdict takes no exception, and little time;
- an answer that is the reference, letter by letter, matches.

"""

from __future__ import annotations

import time

from verifier.math import MathPolicy, Outcome
from verifier.math.check import judge
from verifier.math.extract import extract
from verifier.math.latex import to_latex
from verifier.math.syntax.parser import parse
from verifier.math.syntax.tokens import ParseError

POLICY = MathPolicy()
MAX_CPU_S = 0.05
"""Without a symbolic step; ten times as much under the fuzzer's instrumentation."""


class Slow(AssertionError):
    """An input took longer than it may."""


def one_input(data: bytes, slack: float = 1.0) -> None:
    """Raises AssertionError where an invariant does not hold, Slow where it is the time."""
    gold, _, answer = data.decode(errors="ignore").partition("\n")
    started = time.process_time()
    for text in (gold, answer):
        try:
            tree = parse(text)
        except ParseError:
            continue
        printed = to_latex(tree)
        try:
            again = parse(printed)
        except ParseError as error:
            raise AssertionError(f"{text!r} is printed as {printed!r}: {error}") from error
        assert again == tree, f"{text!r} is printed as {printed!r}"
    verdict, pending = judge([gold], rf"\boxed{{{answer}}}", POLICY) if gold else (None, [])
    assert verdict is None or verdict.outcome is not Outcome.MATCH or not pending
    response = f"<answer>{gold}</answer>"
    found = extract(response)  # a marker may lie inside of it
    kept = response[found.start : found.end] if found else ""
    if gold and kept == gold and "####" not in gold:
        same, _ = judge([gold], response, POLICY)
        assert same.outcome is not Outcome.NO_MATCH, f"{gold!r} is not itself"
    spent = time.process_time() - started
    if spent >= 4 * MAX_CPU_S * slack:
        raise Slow(f"{spent:.3f} s for {gold!r} and {answer!r}")
