"""`touchstone-eval questions`: what training data are held against."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from evals.benchmark import Benchmark, Message, Question
from evals.data import Data, DataMissing
from evals.questions import gather, prompts
from tests.evals.support import sums

ROOT = Path(__file__).parents[2]
HOW = "Think step by step and give the answer in the form: Answer: X"


def asked(*turns: str) -> Question:
    return Question("1", tuple(Message("user", turn) for turn in turns))


def test_a_prompt_is_the_question_alone() -> None:
    told = [asked(f"{HOW}\n\nWhat is {n} + {n}?\nAnswer:  ") for n in range(100)]
    assert prompts(told)[7] == "What is 7 + 7?"
    assert prompts([asked("a worked example", f"{HOW}\nWhy?")]) == [f"{HOW}\nWhy?"]
    # Where nothing would be left, all is.
    assert prompts([asked(HOW)] * 5) == [HOW] * 5
    # Two of a hundred share a line by chance: it stays.
    told[3] = told[4] = asked(f"{HOW}\nTwo trains meet.\nWhen?")
    assert prompts(told)[3] == "Two trains meet.\nWhen?"


def test_what_is_missing_is_told() -> None:
    def load(data: Data) -> list[Question]:
        raise DataMissing("nowhere")

    absent: Benchmark = replace(sums(2), name="absent", load=load)
    rows, missing = gather([sums(2), absent], Data(None, hub=False))
    assert [(row["id"], row["prompt"]) for row in rows] == [
        ("sum-0", "What is 0 + 0?"), ("sum-1", "What is 1 + 1?"),
    ]  # fmt: skip
    assert missing == ["absent: nowhere"]


def call(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "evals.cli", "questions", *map(str, arguments), "--no-hub"]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_command(tmp_path: Path) -> None:
    folder, output = tmp_path / "data", tmp_path / "questions.jsonl"
    (folder / "aime_amc").mkdir(parents=True)
    problem = {
        "id": "60",
        "problem": "Aya walks 9 kilometres.\nHow long?",
        "expected_answer": "204",
    }
    (folder / "aime_amc/aime24.jsonl").write_text(json.dumps(problem) + "\n")
    asked = (output, "--data", folder, "--benchmarks", "aime24,aime25")
    refused = call(*asked)
    assert refused.returncode == 2
    assert refused.stderr.startswith("touchstone-eval: aime25: ")
    assert not output.exists()
    done = call(*asked, "--skip-missing")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("left out: aime25: ")
    assert done.stderr.endswith(f"{output}: 1 questions of 1 benchmarks\n")
    [row] = map(json.loads, output.read_text().splitlines())
    assert (row["benchmark"], row["id"]) == ("aime24", "60")
    assert row["prompt"].startswith("Aya walks 9 kilometres.\nHow long?")
