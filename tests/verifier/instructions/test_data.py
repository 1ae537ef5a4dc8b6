"""Agreement with the published verdicts on two models. Skipped, with the reason shown, without."""

from __future__ import annotations

import gzip
import json
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from verifier.instructions.verify import verify
from verifier.v1 import verifier_pb2 as pb

DRAWN = 4
"""The letter checker of the time drew a letter at random where the one asked for is none ("#",
"!"), so that these published verdicts are chance; the present one counts what was asked for."""


@dataclass
class Judged:
    """Of one constraint of one row: what is found here and what was published, (strict, loose)."""

    model: str
    row: str
    constraint: str
    found: tuple[bool, bool]
    published: tuple[bool, bool]
    drawn: bool
    detail: str


@pytest.fixture(scope="module")
def rows(data_dir: Path) -> list[dict[str, Any]]:
    with gzip.open(
        data_dir / "verdicts" / "ifeval_2models.jsonl.gz", "rt", encoding="utf-8"
    ) as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def judged(data_dir: Path, rows: list[dict[str, Any]]) -> list[Judged]:
    lines = (data_dir / "ifeval" / "input_data.jsonl").read_text("utf-8").splitlines()
    prompts = [json.loads(line) for line in lines]
    return [
        each for row in rows for each in _judge(row, prompts[int(row["id"].rpartition("-")[2])])
    ]


def _judge(row: dict[str, Any], prompt: dict[str, Any]) -> list[Judged]:
    kwargs = prompt["kwargs"]
    if prompt["prompt"] != row["prompt"]:
        # The one prompt that was worded otherwise when these verdicts were made.
        assert "at least one placeholder" in row["prompt"]
        kwargs = [kwargs[0], {"num_placeholders": 1}]
    asked = list(zip(row["gold"], kwargs, strict=True))
    task = pb.InstructionsTask(
        constraints=[pb.Constraint(id=name, kwargs=json.dumps(given)) for name, given in asked]
    )
    outcome = verify(task, row["response"], row["prompt"])
    assert outcome.status == pb.Verdict.OK, (row["id"], outcome.message)
    published = zip(row["strict_list"], row["loose_list"], strict=True)
    return [
        Judged(
            row["model"],
            row["id"],
            result.id,
            (result.strict, result.loose),
            verdicts,
            given.get("letter", "a") not in string.ascii_letters,
            result.detail,
        )
        for result, verdicts, given in zip(
            outcome.evidence.instructions.constraints, published, kwargs, strict=True
        )
    ]


def test_every_published_verdict_comes_out(judged: list[Judged]) -> None:
    assert [each for each in judged if each.found != each.published and not each.drawn] == []
    assert len(judged) == 1668
    assert sum(each.drawn for each in judged) == DRAWN


@pytest.mark.parametrize(
    ("model", "figures"),
    [
        ("gpt-4o-2024-08-06", (0.841, 0.886, 0.878, 0.912)),
        ("deepseek-ai__deepseek-llm-7b-chat", (0.370, 0.489, 0.418, 0.531)),
    ],
)
def test_published_figures(judged: list[Judged], model: str, figures: tuple[float, ...]) -> None:
    """By prompt and by constraint, strict and then loose; what was drawn counts as it fell."""
    found = []
    for mode in (0, 1):
        prompts: dict[str, list[bool]] = {}
        for each in judged:
            if each.model == model:
                verdict = each.published if each.drawn else each.found
                prompts.setdefault(each.row, []).append(verdict[mode])
        every = [verdict for verdicts in prompts.values() for verdict in verdicts]
        found += [sum(map(all, prompts.values())) / 541, sum(every) / len(every)]
    assert found == pytest.approx(figures, abs=0.0005)


def test_no_published_response_thinks_aloud(rows: list[dict[str, Any]]) -> None:
    assert len(rows) == 1082
    assert not any("think>" in row["response"] for row in rows)
