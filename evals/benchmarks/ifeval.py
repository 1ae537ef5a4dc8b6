"""IFEval: 541 prompts with constraints that a program can check, 25 kinds of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from evals.benchmark import Benchmark, Question, Sample, r1, user
from evals.data import Data
from evals.hub import Table
from verifier.client import Item

TABLE = Table(
    "ifeval/input_data.jsonl",
    "google-research, instruction_following_eval/data/input_data.jsonl (Apache-2.0)",
    "google/IFEval",
    "966cd89545d6b6acfd7638bc708b98261ca58e84",
    split="train",
)


def _load(data: Data) -> list[Question]:
    return [_question(row) for row in TABLE.rows(data)]


def _question(row: dict[str, Any]) -> Question:
    item = Item(prompt=row["prompt"])
    for name, kwargs in zip(row["instruction_id_list"], row["kwargs"], strict=True):
        item.instructions.constraints.add(id=name, kwargs=json.dumps(kwargs))
    return Question(
        str(row["key"]),
        user(row["prompt"]),
        item,
        ", ".join(row["instruction_id_list"]),
        slices={"constraints": str(len(row["instruction_id_list"]))},
    )


def aggregate(samples: Sequence[Sample]) -> dict[str, float]:
    """The four figures of arXiv 2311.07911, section 3.1: by prompt (all constraints are followed)
    and by constraint, strict and loose, over graded samples."""
    results = [
        [(bool(one.get("strict")), bool(one.get("loose"))) for one in constraints(sample)]
        for sample in samples
        if sample.graded.score is not None
    ]
    if not results:
        return {}
    every = [one for result in results for one in result]
    return {
        "prompt_strict": fmean(all(strict for strict, _ in result) for result in results),
        "instruction_strict": fmean(strict for strict, _ in every),
        "prompt_loose": fmean(all(loose for _, loose in result) for result in results),
        "instruction_loose": fmean(loose for _, loose in every),
    }


def constraints(sample: Sample) -> Sequence[dict[str, Any]]:
    """What the verifier found of each constraint; false fields may be left out."""
    found: Sequence[dict[str, Any]] = sample.graded.evidence["evidence"]["instructions"][
        "constraints"
    ]
    return found


BENCHMARKS = (
    Benchmark(
        name="ifeval",
        title="IFEval",
        source="Zhou et al., arXiv 2311.07911 (Apache-2.0); its prompts as they are",
        load=_load,
        protocols=(r1(16),),
        aggregate=aggregate,
        headline="prompt_strict",
    ),
)
