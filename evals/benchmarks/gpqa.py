"""GPQA Diamond: 198 questions that no search answers, four options each.

Its authors ask that no question be put where a model may be trained on it: questions come from the
hub, whose terms the user accepts, or from the user's copy, and are nowhere in this repository.

Invariant: the options' order is that of hashes of question and option: the same in every run,
whatever the order of the rows, and without a word of which option is right.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from evals.benchmark import Benchmark, Question, r1, user
from evals.benchmarks.mmlu import SIMPLE_EVALS, SIMPLE_EVALS_K1, choice_question
from evals.data import Data
from evals.hub import Table

TABLE = Table(
    "gpqa/gpqa_diamond.csv",
    "your copy of gpqa_diamond.csv (idavidrein/gpqa, dataset.zip, whose README has the password)",
    "Idavidrein/gpqa",
    "633f5ee89ab8ad4522a9f850766b73f62147ffdd",
    configs=("gpqa_diamond",),
    split="train",
)

OPTIONS = ("Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")


def _load(data: Data) -> list[Question]:
    return [_question(row) for row in TABLE.rows(data)]


def _question(row: dict[str, Any]) -> Question:
    question = row["Question"]
    order = permuted(question, [row[column] for column in OPTIONS])
    options = [row[OPTIONS[place]] for place in order]
    return choice_question(
        row["Record ID"],
        user(SIMPLE_EVALS.format(question=question, options=options)),
        options,
        order.index(0),
        slices={"subject": row["High-level domain"]},
    )


def permuted(question: str, options: list[str]) -> list[int]:
    """Places of the options, in the order in which they are shown."""

    def key(place: int) -> bytes:
        return hashlib.sha256(f"{question}\0{options[place]}".encode()).digest()

    return sorted(range(len(options)), key=key)


BENCHMARKS = (
    Benchmark(
        name="gpqa_diamond",
        title="GPQA Diamond",
        source="Rein et al., arXiv 2311.12022 (CC BY 4.0); prompt of simple-evals, options in an "
        "order of their own; checked by the choice verifier",
        load=_load,
        protocols=(r1(16), replace(SIMPLE_EVALS_K1, k=10)),
    ),
)
