"""Where weights of stored samples come from: the parts of their verdicts, or a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from evals.records import Score
from evals.strategies.base import StrategyError

GIVEN = "given"
"""The name of weights from a file."""

Given = Mapping[tuple[str, str, int], float]
"""By benchmark, question and sample."""


def weights(score: Score, given: Given) -> dict[str, float]:
    """A sample's weights by name: each part of the service's verdict that has a score (a recipe's
    `reward_model`, say), and the one of the file."""
    found = {
        str(part["name"]): float(part["score"])
        for part in score.evidence.get("parts", ())
        if part.get("score") is not None
    }
    if (told := given.get((score.benchmark, score.question, score.sample))) is not None:
        found[GIVEN] = told
    return found


def read_given(path: Path) -> Given:
    """JSON Lines of {"benchmark", "question", "sample", "weight"}. Raises StrategyError."""
    found = {}
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        if not line:
            continue
        try:
            row = json.loads(line)
            key = (str(row["benchmark"]), str(row["question"]), int(row["sample"]))
            found[key] = float(row["weight"])
        except (KeyError, TypeError, ValueError) as error:
            raise StrategyError(f"{path}, line {number}: {error!r}") from error
    return found
