"""How much of a response repeats itself? Pure functions, linear time.

The share of n-grams of words that stood in the response before, as in the
repetition penalty of arXiv 2502.03373 (appendix C.2) and of open-r1. What a word
is, `length.words` says: one character, one line or nothing but blanks, repeated
for ever, repeat their n-grams too.

The score is 1 - share; with the option `max_penalty`, which is negative, it is
share x max_penalty, as open-r1 gives it.

Not covered: repetition with a counter in it ("Step 17: try again."), which is
also how an honest enumeration looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate

from verifier.length import Result, number_problem, words

WORDS = 20
"""The default of `n`: a long sentence. Of answers of three models nine in ten have no run of this
length twice; the three words of open-r1's default recur in any prose ("so we get")."""

MAX_WORDS = 64
"""Of `n`: counting 1 MiB of words of one letter then takes 180 MiB, and no response takes more."""

THRESHOLD = 0.3
"""The default of `threshold`. A program drafted in the thinking and given in the answer makes up
less of a response than that; a response in a loop soon makes up more."""

MAX_PENALTY = 1_000
"""Of `max_penalty`, as a positive number: any weight beyond belongs in the recipe."""

OPTIONS = frozenset({"n", "max_penalty", "threshold"})


def share(text: str, n: int = WORDS) -> float:
    """Repeated n-grams over all n-grams, in [0, 1); 0 for a text of fewer than `n` words.

    Case is ignored.
    """
    # A blank after every word: two n-grams are equal just when their slices are.
    spaced = [word + " " for word in words(text.lower())]
    joined = "".join(spaced)
    places = list(accumulate(map(len, spaced), initial=0))
    total = len(places) - n
    if total < 1:
        return 0.0
    distinct = {joined[start:end] for start, end in zip(places, places[n:], strict=False)}
    return 1 - len(distinct) / total


def check(response: str, options: Mapping[str, str]) -> Result:
    """The part's result under options in which `problem` finds nothing."""
    n = int(options.get("n", WORDS))
    repeated = share(response, n)
    reason = "repetitive" if repeated > float(options.get("threshold", THRESHOLD)) else "varied"
    penalty = options.get("max_penalty")
    score = 1 - repeated if penalty is None else 0 - repeated * abs(float(penalty))
    return Result(score, reason, f"{100 * repeated:.1f} % of all runs of {n} words stood before")


def problem(options: Mapping[str, str]) -> str | None:
    """What is wrong with the part's options, naming the option; None when nothing is."""
    return (
        number_problem(options, "n", 1, MAX_WORDS, whole=True)
        or number_problem(options, "max_penalty", -MAX_PENALTY, 0)
        or number_problem(options, "threshold", 0, 1)
    )
