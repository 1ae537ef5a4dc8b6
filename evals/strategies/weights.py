"""Where weights of stored samples come from: the parts of their verdicts, or a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
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
    """JSON Lines of {"benchmark", "question", "sample", "weight"}. Raises StrategyError naming the
    line; OSError."""
    found: dict[tuple[str, str, int], float] = {}
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            key = (str(row["benchmark"]), str(row["question"]), int(row["sample"]))
            if not isfinite(weight := float(row["weight"])):
                raise ValueError(f"weight must be a finite number, got {weight}")
            if found.setdefault(key, weight) != weight:
                raise ValueError(f"sample {key[2]} of {key[1]} has the weight {found[key]}, too")
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise StrategyError(f"--weights: {path}, line {number}: {error!r}") from error
    return found
