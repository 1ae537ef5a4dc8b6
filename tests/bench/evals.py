"""How long benchmarks' responses take to score, from generations on disk to scores on disk, and to
sum up.

MATH-500: MATH_SAMPLES responses to each of 500 problems, made of rho-1's real ones (four models),
no two of them equal. LiveCodeBench: PROGRAMS programs for each problem that has a test at hand,
o1-mini's, no two equal, beside the official harness (see programs.py) on the same programs and
tests in the same run, and with both gradings of the benchmark, which are two verdicts each.

Data comes from TOUCHSTONE_DATA or shared/data beside the repository; without it there is nothing
to score. SHARE=N scores only one in N questions.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from evals.benchmark import Benchmark, Question, Tools, r1
from evals.benchmarks import livecodebench, named
from evals.data import Data
from evals.records import Generation, Records, Score, prompt_hash
from evals.scoring import grader_of, score
from evals.summary import summarize
from tests.bench.programs import OFFICIAL, harness
from tests.verifier.code.data.reading import Row, rows
from verifier.client import AsyncVerifierClient, Item
from verifier.embedded import EmbeddedServer

MATH_SAMPLES, PROGRAMS = 64, 10
PARAMETERS = "parameters"
"""What all these were asked with."""
CALLS = 512
"""Generations in one call to the grader, as a run has it."""
ROOT = Path(__file__).parent.parent.parent
SHARE = int(os.environ.get("SHARE", "1"))


def generations(
    benchmark: Benchmark,
    questions: Mapping[str, Question],
    responses: Mapping[str, Sequence[str]],
    samples: int,
) -> list[Generation]:
    """So many for each question, from its responses in turn, each with a line of its own."""
    return [
        Generation(
            benchmark.name,
            question,
            sample,
            prompt_hash(questions[question].messages),
            PARAMETERS,
            f"Sample {sample}.\n{texts[sample % len(texts)]}",
            "stop",
        )
        for question, texts in responses.items()
        for sample in range(samples)
    ]


async def scored(
    benchmark: Benchmark,
    questions: Mapping[str, Question],
    made: Sequence[Generation],
    address: str,
    folder: Path,
) -> tuple[float, int]:
    """Seconds, and responses with a full score. Fails where one has none."""
    found: list[Score] = []
    async with AsyncVerifierClient(address) as client:
        grader = await grader_of(benchmark, client, Tools())
        with Records(folder / "scores.jsonl", Score) as records:
            began = time.perf_counter()
            for at in range(0, len(made), CALLS):
                part = made[at : at + CALLS]
                await score(
                    benchmark, questions, part, client, Tools(), grader, records, found.append
                )
            seconds = time.perf_counter() - began
    failed = [one for one in found if one.score is None and one.evidence["status"] != "UNDECIDED"]
    if len(found) != len(made) or (benchmark.items is not None and failed):
        raise RuntimeError(f"{len(found)} of {len(made)} scored, without a score {failed[:1]}")
    return seconds, sum(one.score == 1.0 for one in found)


async def summed_up(
    benchmark: Benchmark,
    questions: Sequence[Question],
    made: Sequence[Generation],
    address: str,
    folder: Path,
) -> float:
    """Seconds, of what `scored` has left in the folder."""
    with Records(folder / "generations.jsonl", Generation) as records:
        for generation in made:
            records.append(generation)
    async with AsyncVerifierClient(address) as client:
        began = time.perf_counter()
        await summarize(folder, benchmark, "rho-1", r1(MATH_SAMPLES), PARAMETERS, client, questions)
        return time.perf_counter() - began


def math_responses(data: Data, folder: Path) -> tuple[list[Question], dict[str, list[str]]]:
    questions = list(named("math500").load(data))
    by_place: dict[int, list[str]] = {}
    for row in rows(folder / "verdicts/rho1_math_gsm8k.jsonl.gz"):
        if row["task"] == "math500":
            by_place.setdefault(int(row["id"].rpartition("-")[2]), []).append(row["response"])
    chosen = range(0, len(questions), SHARE)
    return questions, {questions[place].id: by_place[place] for place in chosen}


def official(checkout: Path, questions: Sequence[Question], programs: Sequence[str]) -> float:
    """Seconds of the harness in its own process, its imports aside."""
    samples = []
    for question in questions:
        task = _default(question, "")["default"].code
        calls = bool(task.entry_point)
        sample = {
            "inputs": ["\n".join(t.args_json) if calls else t.stdin for t in task.tests],
            "outputs": [t.expected_json if calls else t.stdout for t in task.tests],
        }
        samples.append(sample | ({"fn_name": task.entry_point} if calls else {}))
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump((samples, programs), file)
        file.flush()
        done = subprocess.run(
            [sys.executable, "-c", OFFICIAL, str(checkout), file.name],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a progress bar
            check=True,
        )
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


def _default(question: Question, response: str) -> dict[str, Item]:
    """The first of the benchmark's two gradings."""
    return {"default": livecodebench.items(question, response)["default"]}


def main(console: Console) -> dict[str, float]:
    folder = Path(os.environ.get("TOUCHSTONE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        console.print(f"no data at {folder} (TOUCHSTONE_DATA): nothing to score")
        return {}
    data = Data(folder, hub=False)
    figures: dict[str, float] = {}
    table = Table("responses", "seconds", "right", "a second", "official harness", "ratio")
    with tempfile.TemporaryDirectory() as own:
        out = Path(own)
        with EmbeddedServer("--log-level", "warning") as server:
            _mathematics(data, folder, server.address, out, figures, table)
        _programs(data, folder, out, figures, table)
    console.print(table)
    return {name: round(value, 2) for name, value in figures.items()}


def _mathematics(
    data: Data, folder: Path, address: str, out: Path, figures: dict[str, float], table: Table
) -> None:
    benchmark = named("math500")
    questions, responses = math_responses(data, folder)
    by_id = {question.id: question for question in questions}
    made = generations(benchmark, by_id, responses, MATH_SAMPLES)
    own = out / benchmark.name
    seconds, right = asyncio.run(scored(benchmark, by_id, made, address, own))
    figures["math500_seconds"] = seconds
    asked = [by_id[id] for id in responses]
    figures["math500_summary_seconds"] = asyncio.run(
        summed_up(benchmark, asked, made, address, own)
    )
    told = f"MATH-500, {len(responses)} x {MATH_SAMPLES}"
    table.add_row(told, f"{seconds:.1f}", f"{right}", f"{len(made) / seconds:,.0f}", "", "")
    table.add_row("  summed up", f"{figures['math500_summary_seconds']:.1f}", "", "", "", "")


def _programs(data: Data, folder: Path, out: Path, figures: dict[str, float], table: Table) -> None:
    both = named("livecodebench")
    verdicts: dict[str, Row] = {
        row["question_id"]: row for row in rows(folder / "verdicts/livecodebench_o1mini.jsonl.gz")
    }
    questions = [q for q in both.load(data) if q.slices["tests"] == "at hand"][::SHARE]
    by_id = {question.id: question for question in questions}
    responses = {
        # Equal programs would be run once.
        question.id: [
            verdicts[question.id]["response"].replace("```python\n", f"```python\n# {n}\n", 1)
            for n in range(PROGRAMS)
        ]
        for question in questions
    }
    one = replace(both, items=_default)
    seconds = {}
    for name, benchmark in (("default", one), ("default and lcb", both)):
        made = generations(benchmark, by_id, responses, PROGRAMS)
        with EmbeddedServer("--log-level", "warning") as server:
            seconds[name], right = asyncio.run(
                scored(benchmark, by_id, made, server.address, out / name)
            )
        row = [f"LiveCodeBench, {len(questions)} x {PROGRAMS}, {name}"]
        row += [f"{seconds[name]:.1f}", f"{right}", f"{len(made) / seconds[name]:,.0f}"]
        table.add_row(*row, "", "")
    figures["livecodebench_seconds"] = seconds["default"]
    figures["livecodebench_both_seconds"] = seconds["default and lcb"]
    checkout = harness(out)
    if checkout is None:
        table.add_row("", "", "", "", "not at hand", "")
        return
    asked = [question for question in questions for _ in range(PROGRAMS)]
    programs = [f"# {n}\n{verdicts[q.id]['code']}" for q in questions for n in range(PROGRAMS)]
    peer = official(checkout, asked, programs)
    figures["livecodebench_official_seconds"] = peer
    figures["livecodebench_ratio"] = peer / seconds["default"]
    table.add_row("", "", "", "", f"{peer:.1f} s", f"{figures['livecodebench_ratio']:.2f}")
