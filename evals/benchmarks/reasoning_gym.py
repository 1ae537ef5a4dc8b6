"""reasoning-gym: generated problems of about a hundred kinds, scored as the package scores them.

Needs the package, at the version whose problems and scores these are. Kinds whose score evaluates
the answer as Python are left out: an answer is data.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from evals.benchmark import Benchmark, BenchmarkError, Graded, Question, Tools, r1, user
from evals.data import Data

VERSION = "0.1.25"
SEED = 0
EACH = 5
"""Problems of each kind."""

ANSWER_CHARS = 20_000
"""Longer answers are wrong: some scores take time that grows faster than the text."""

EVALUATED = frozenset(
    {
        "binary_matrix",
        "countdown",
        "intermediate_integration",
        "n_queens",
        "polynomial_multiplication",
        "puzzle24",
        "simple_integration",
        "spiral_matrix",
        "string_insertion",
    }
)
"""Kinds whose `score_answer` gives the answer to `eval` or to SymPy's `parse_expr`."""

UNBOUNDED = frozenset({"coin_flip"})
"""Kinds whose score takes the time that a number's exponent says: 1e99999999 would not end."""

COMPOSED = frozenset({"composite"})
"""Kinds that are made of others."""


FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What the package's scores raise on answers that are not of the form they expect."""


@cache
def _package() -> Any:
    """The package, of which no more is used than create_dataset, score_answer, the table of kinds,
    the system prompts and extract_answer. Raises BenchmarkError."""
    try:
        found = importlib.metadata.version("reasoning-gym")
    except importlib.metadata.PackageNotFoundError:
        raise BenchmarkError(
            f"reasoning_gym needs its package: pip install reasoning-gym=={VERSION}"
        ) from None
    if found != VERSION:
        raise BenchmarkError(
            f"reasoning_gym is about reasoning-gym {VERSION}, {found} is installed: "
            "another version makes other problems"
        )
    return importlib.import_module("reasoning_gym")


def _load(data: Data) -> list[Question]:
    gym = _package()
    data.read["reasoning-gym"] = VERSION
    questions = []
    for kind in sorted(set(gym.factory.DATASETS) - EVALUATED - UNBOUNDED - COMPOSED):
        problems = gym.create_dataset(kind, size=EACH, seed=SEED)
        for place in range(EACH):
            entry = problems[place]
            questions.append(
                Question(
                    f"{kind}-{SEED}-{place}",
                    user(f"{gym.utils.SYSTEM_PROMPTS['default']}\n{entry['question']}"),
                    gold=str(entry["answer"]),
                    slices={"task": kind, "category": problems.category},
                    data={"score": problems.score_answer, "entry": entry},
                )
            )
    return questions


async def grade(question: Question, response: str, tools: Tools) -> Graded:
    """The package's score of what stands in the last <answer>, which may be a part of 1."""
    answer = _package().utils.extract_answer(response)
    if answer is None:
        return Graded("no_answer", 0.0)
    if len(answer) > ANSWER_CHARS:
        return Graded(
            "ok", 0.0, answer[:ANSWER_CHARS], {"message": f"over {ANSWER_CHARS} characters"}
        )
    return scored(question.data["score"], question.data["entry"], answer)


def scored(score: Callable[[str, Any], float], entry: Mapping[str, Any], answer: str) -> Graded:
    """A score that fails on this answer, but gives the reference its 1, cannot read the answer: it
    is wrong. One that has no reference to read is a grader that failed."""
    try:
        value = float(score(answer, entry))
    except FAILURES as error:
        evidence = {"message": f"{type(error).__name__}: {error}"}
        if entry["answer"] is not None and score(str(entry["answer"]), entry) == 1.0:
            return Graded("ok", 0.0, answer, evidence)
        return Graded("grader_error", None, answer, evidence)
    return Graded("ok", min(1.0, max(0.0, value)), answer)


BENCHMARKS = (
    Benchmark(
        name="reasoning_gym",
        title=f"reasoning-gym {VERSION}",
        source="Stojanovski et al., arXiv 2505.24760 (Apache-2.0); the package's problems, prompt "
        "and scores",
        load=_load,
        protocols=(r1(16),),
        grade=grade,
    ),
)
