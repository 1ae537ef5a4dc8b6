"""SWE-bench Verified: 500 issues of real repositories, graded by the official harness.

A response is graded by `python -m swebench.harness.run_evaluation`, which needs the package
`swebench` (written for 4.1) and a Docker engine. It is given one prediction and the one row of the
data that the prediction is for, so that the data's revision is ours and not the harness's.

The prompt is a row's `text`, as swebench.inference.make_datasets writes it, in a data folder's
`swebench/verified.jsonl`; rows of the hub have none and are asked with the issue alone, from which
no model can tell the repository's files. Results that are quoted come from agents (DeepSeek-R1's
from Agentless): score their patches as stored generations.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import re
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from evals import harnesses
from evals.benchmark import (
    Benchmark,
    BenchmarkError,
    Graded,
    Protocol,
    Question,
    Tools,
    user,
)
from evals.data import Data
from evals.hub import Table

TABLE = Table(
    "swebench/verified.jsonl",
    "rows of princeton-nlp/SWE-bench_Verified, with `text` where there is a prompt",
    "princeton-nlp/SWE-bench_Verified",
    "c104f840cc67f8b6eec6f759ebc8b2693d585d4a",
)
MODEL, RUN = "touchstone", "touchstone"
TEST_SECONDS = 1800
"""Of one instance's tests: the harness's own default."""
SECONDS = 3 * TEST_SECONDS
"""Of the whole of it: images are fetched or built first."""
CORES_SHARE = 0.75
"""The harness's advice for instances at once."""
APPLY_FAILED = ">>>>> Patch Apply Failed"
"""APPLY_PATCH_FAIL of swebench/harness/constants: the patch's own fault, which the harness counts
as an error."""


def patch_of(response: str) -> str:
    """The patch in a response, by the rule of swebench.inference (extract_diff): what <patch> or
    <diff> encloses, or else a block fenced as one; else what any other tag or fence does; else the
    whole."""
    told: list[str] = []
    rest: list[str] = []
    for pattern in (r"<([\w-]+)>(.*?)</\1>", r"```(\w+)?\n(.*?)```"):
        for name, text in re.findall(pattern, response, re.DOTALL):
            (told if name in ("diff", "patch") else rest).append(text)
    return (told or rest or [response.partition("</s>")[0]])[0]


async def grade(question: Question, response: str, tools: Tools) -> Graded:
    """Whether the harness calls the issue resolved. Raises BenchmarkError without the harness."""
    if importlib.util.find_spec("swebench") is None:
        raise BenchmarkError(
            "swebench_verified: graded by the official harness, which needs a Docker engine and "
            'pip install "swebench>=4.1,<5"'
        )
    patch = patch_of(response)
    if not patch.strip():
        return Graded("no_answer", 0.0)
    async with _room(asyncio.get_running_loop()):
        with tempfile.TemporaryDirectory() as folder:
            return await _graded(question, patch, Path(folder))


@lru_cache(1)
def _room(loop: asyncio.AbstractEventLoop) -> asyncio.Semaphore:
    return asyncio.Semaphore(max(1, int(CORES_SHARE * (os.cpu_count() or 1))))


async def _graded(question: Question, patch: str, folder: Path) -> Graded:
    id = question.id
    prediction = {"instance_id": id, "model_name_or_path": MODEL, "model_patch": patch}
    (folder / "predictions.jsonl").write_text(json.dumps(prediction) + "\n")
    (folder / "instance.jsonl").write_text(json.dumps(question.data["row"]) + "\n")
    command = [
        *(sys.executable, "-m", "swebench.harness.run_evaluation"),
        *("--dataset_name", "instance.jsonl"),
        *("--predictions_path", "predictions.jsonl"),
        *("--instance_ids", id),
        *("--run_id", RUN),
        *("--max_workers", "1"),
        *("--timeout", str(TEST_SECONDS)),
    ]
    try:
        finished = await harnesses.run(command, folder, {}, SECONDS)
    except harnesses.HarnessFailed as error:
        return Graded("grader_error", None, patch, {"message": str(error)})
    return result(id, patch, folder, finished.told)


def result(id: str, patch: str, folder: Path, told: str) -> Graded:
    """What the harness's report says of one instance. Its "error" is a wrong answer only where the
    patch does not apply."""
    try:
        report: dict[str, Any] = json.loads((folder / f"{MODEL}.{RUN}.json").read_text())
        outcomes = {
            name: id in report[f"{name}_ids"]
            for name in ("resolved", "unresolved", "error", "empty_patch")
        }
    except (FileNotFoundError, KeyError, TypeError, ValueError) as error:
        return Graded(
            "grader_error",
            None,
            patch,
            {"message": f"no report of swebench: {error}", "told": told},
        )
    logs = folder / "logs" / "run_evaluation" / RUN / MODEL / id
    evidence: dict[str, Any] = {"outcome": next((n for n, is_so in outcomes.items() if is_so), "")}
    if (tests := logs / "report.json").is_file():
        evidence["report"] = json.loads(tests.read_text())
    if outcomes["resolved"] or outcomes["unresolved"]:
        return Graded("ok", float(outcomes["resolved"]), patch, evidence)
    if outcomes["empty_patch"]:
        return Graded("no_answer", 0.0, "", evidence)
    log = logs / "run_instance.log"
    said = log.read_text(errors="replace") if log.is_file() else told
    if APPLY_FAILED in said:
        return Graded("ok", 0.0, patch, evidence | {"outcome": "patch does not apply"})
    return Graded(
        "grader_error", None, patch, evidence | {"message": said[-harnesses.TOLD_CHARS :]}
    )


def load(data: Data) -> list[Question]:
    """All issues."""
    return [
        Question(
            row["instance_id"],
            user(row.get("text") or row["problem_statement"]),
            gold=row["patch"],
            slices={"repo": row["repo"], "difficulty": row.get("difficulty") or "unknown"},
            data={"row": row},
        )
        for row in TABLE.rows(data)
    ]


BENCHMARKS = (
    Benchmark(
        name="swebench_verified",
        title="SWE-bench Verified",
        source="Jimenez et al., arXiv 2310.06770, MIT; OpenAI's selection; the official harness",
        load=load,
        protocols=(Protocol("r1", 0.6, 0.95, 32_768, 1),),
        grade=grade,
    ),
)
