"""IFEval: hand-written rows, and the published figures of two models through `aggregate`."""

from __future__ import annotations

import copy
import json
import string
from pathlib import Path
from typing import Any

import pytest

from evals.benchmark import Graded, Sample
from evals.benchmarks import ifeval, named
from evals.scoring import graded
from tests.evals.benchmarks.support import folder, item, read, real, sample, text, verdicts
from verifier.embedded import EmbeddedServer

ROW = {
    "key": 1000,
    "prompt": "Say something long, without commas.",
    "instruction_id_list": ["punctuation:no_comma", "length_constraints:number_words"],
    "kwargs": [{"num_words": None}, {"relation": "at least", "num_words": 5, "letter": None}],
}


def test_four_figures(tmp_path: Path, server: EmbeddedServer) -> None:
    (question,) = named("ifeval").load(folder(tmp_path, {ifeval.TABLE.path: [ROW]}))
    assert (question.id, text(question)) == ("1000", ROW["prompt"])
    assert question.slices == {"constraints": "2"}
    said = [
        "one two three four five",  # both
        "Well, here it is:\none two three four five",  # loose alone, without its first line
        "one, two",  # none
        "one two",  # no comma
    ]
    found = verdicts(server, [item(question, one) for one in said])
    samples = [
        sample(question, one, graded(verdict)) for one, verdict in zip(said, found, strict=True)
    ]
    assert [one.graded.score for one in samples] == [1, 0, 0, 0]
    assert ifeval.aggregate(samples) == pytest.approx(
        {
            "prompt_strict": 1 / 4,
            "instruction_strict": 4 / 8,
            "prompt_loose": 2 / 4,
            "instruction_loose": 5 / 8,
        }
    )
    failed = sample(question, "", Graded("grader_error", None))
    assert ifeval.aggregate([*samples, failed]) == ifeval.aggregate(samples)
    assert ifeval.aggregate([failed]) == {}


# ---------------------------------------------------------------- the published verdicts


@pytest.fixture(scope="module")
def rows(data_dir: Path) -> list[dict[str, Any]]:
    return read(data_dir / "verdicts" / "ifeval_2models.jsonl.gz")


@pytest.fixture(scope="module")
def samples(
    rows: list[dict[str, Any]], data_dir: Path, server: EmbeddedServer
) -> dict[str, list[tuple[dict[str, Any], Sample]]]:
    questions = real(data_dir, named("ifeval"), ifeval.TABLE.path)
    assert len(questions) == 541
    asked = [questions[int(row["id"].rpartition("-")[2])] for row in rows]
    items = [item(question, row["response"]) for question, row in zip(asked, rows, strict=True)]
    for made, row in zip(items, rows, strict=True):
        if made.prompt != row["prompt"]:
            # The one prompt that was worded otherwise when these verdicts were made.
            assert "at least one placeholder" in row["prompt"]
            made.instructions.constraints[1].kwargs = '{"num_placeholders": 1}'
    found: dict[str, list[tuple[dict[str, Any], Sample]]] = {}
    for question, row, verdict in zip(asked, rows, verdicts(server, items), strict=True):
        one = sample(question, row["response"], graded(verdict))
        found.setdefault(row["model"], []).append((row, one))
    return found


def as_published(row: dict[str, Any], one: Sample) -> Sample:
    """The letter checker of the time drew a letter at random where the one asked for is none ("#",
    "!"): these published verdicts are chance, and stand here as they fell."""
    evidence = copy.deepcopy(dict(one.graded.evidence))
    assert one.question.item is not None
    for place, constraint in enumerate(one.question.item.instructions.constraints):
        letter = json.loads(constraint.kwargs).get("letter") or "a"
        if letter not in string.ascii_letters:
            evidence["evidence"]["instructions"]["constraints"][place] |= {
                "strict": row["strict_list"][place],
                "loose": row["loose_list"][place],
            }
    return sample(one.question, one.response, Graded("ok", one.graded.score, evidence=evidence))


@pytest.mark.parametrize(
    ("model", "figures", "without_chance"),
    [
        ("gpt-4o-2024-08-06", (0.841, 0.886, 0.878, 0.912), (0.843, 0.887, 0.878, 0.912)),
        (
            "deepseek-ai__deepseek-llm-7b-chat",
            (0.370, 0.489, 0.418, 0.531),
            (0.370, 0.489, 0.418, 0.531),
        ),
    ],
)
def test_published_figures(
    samples: dict[str, list[tuple[dict[str, Any], Sample]]],
    model: str,
    figures: tuple[float, ...],
    without_chance: tuple[float, ...],
) -> None:
    found = ifeval.aggregate([as_published(row, one) for row, one in samples[model]])
    assert tuple(found.values()) == pytest.approx(figures, abs=0.0005)
    ours = ifeval.aggregate([one for _, one in samples[model]])
    assert tuple(ours.values()) == pytest.approx(without_chance, abs=0.0005)
