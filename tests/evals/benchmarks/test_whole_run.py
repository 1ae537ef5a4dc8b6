"""Benchmarks of each kind from question to summary: items, own grading, own figures."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from evals.benchmark import Message, Tools
from evals.benchmarks import drop, ifeval, mmlu_pro, named
from evals.model import Reply, Sampling
from evals.run import Plan, run
from evals.summary import Summary
from tests.evals.benchmarks import test_drop, test_ifeval, test_mmlu_pro
from tests.evals.benchmarks.support import folder
from verifier.embedded import EmbeddedServer


class Scripted:
    """Answers by a word of the prompt; thinks aloud before."""

    name = "scripted"
    answers = (
        ("eggs", "So \\boxed{4}."),
        ("Which is a city?", "The answer is (B)."),
        ("cats", "Answer: 2 cats"),
        ("commas", "one two three four five"),
        ("exactly once", "\\boxed{1}"),
    )

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Reply:
        (said,) = (said for word, said in self.answers if word in messages[-1].content)
        return Reply(f"<think>The answer is (A). Answer: 9</think>{said}", "stop")

    async def close(self) -> None:
        pass


def test_from_question_to_summary(tmp_path: Path, server: EmbeddedServer) -> None:
    rows = [{"question": f"{n} eggs?", "answer": f"#### {n}"} for n in (4, 5, 4)]
    data = folder(
        tmp_path / "data",
        {
            "gsm8k/test.jsonl": rows,
            mmlu_pro.TEST.path: [test_mmlu_pro.ROW],
            drop.DEV.path: [test_drop.TASK],
            drop.TRAIN.path: [test_drop.example(n) for n in range(3)],
            ifeval.TABLE.path: [test_ifeval.ROW],
        },
    )
    names = ("gsm8k", "mmlu_pro", "drop", "ifeval", "countdown")
    plan = Plan(
        tmp_path / "out",
        data,
        tuple(named(name) for name in names),
        Scripted(),
        Tools(),
        overrides={"k": 2},
        limit=3,
    )
    made = asyncio.run(run(plan, server.address, Console(file=io.StringIO())))
    found: dict[str, Summary] = {one.benchmark: one for one in made}
    values = {name: found[name].headline.value for name in names}
    assert values == pytest.approx(
        {"gsm8k": 2 / 3, "mmlu_pro": 1, "drop": 0.6667, "ifeval": 1, "countdown": 0}
    )
    assert {name: found[name].headline.name for name in ("drop", "ifeval")} == {
        "drop": "f1",
        "ifeval": "prompt_strict",
    }
    assert found["mmlu_pro"].metrics["official"].value == 1
    assert found["mmlu_pro"].metrics["guessed"].value == 0
    assert found["drop"].metrics["exact_match"].value == 0
    assert found["ifeval"].metrics["instruction_loose"].value == 1
    assert all(one.shares.grader_error == one.shares.no_answer == 0 for one in made)
