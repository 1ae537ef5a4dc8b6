"""HumanEval: 164 Python functions, tested by the authors' asserts.

The prompt is simple-evals' for chat models (humaneval_eval.py at ee3b0318). What a prompt gives
before the function to be written, its imports and helper functions, is there whether or not a
response repeats it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evals import fences
from evals.benchmark import Benchmark, Protocol, Question, r1, user
from evals.data import Data
from evals.hub import Table
from verifier.client import Item

INSTRUCTION = (
    "Read the following function signature and docstring, and fully implement the function "
    "described. Your response should only contain the code for this function.\n"
)
TABLE = Table(
    "humaneval/HumanEval.jsonl",
    "data/HumanEval.jsonl.gz of openai/human-eval, unpacked",
    "openai/openai_humaneval",
    "7dce6050a7d6d172f3cc5c32aa97f52fa1a2e544",
)
CPU_SECONDS = 3.0
"""Of the whole test program (human_eval/evaluation.py), there by the clock."""


def completed(row: Mapping[str, Any], function: str, response: str) -> dict[str, Item]:
    """The function of a response, with what the prompt gives before it, and the test; nothing
    where a response has no function."""
    code = fences.program(response, "python|py", function)
    if not code:
        return {}
    given: str = row["prompt"]
    item = Item(response=response)
    item.code.language = "python"
    item.code.limits.cpu_seconds = CPU_SECONDS
    item.code.program = given[: given.rindex(f"def {function}(")] + code
    # The other languages' problems, which have no entry point, call the test themselves.
    called = f"check({function})\n" if "entry_point" in row else ""
    item.code.tests.add(source=f"{row['test']}\n{called}")
    return {"": item}


def items(question: Question, response: str) -> dict[str, Item]:
    """See `completed`."""
    row = question.data["row"]
    return completed(row, row["entry_point"], response)


def load(data: Data) -> list[Question]:
    """All problems."""
    return [
        Question(row["task_id"], user(INSTRUCTION + row["prompt"]), data={"row": row})
        for row in TABLE.rows(data)
    ]


BENCHMARKS = (
    Benchmark(
        name="humaneval",
        title="HumanEval",
        source="Chen et al., arXiv 2107.03374, MIT; simple-evals' prompt",
        load=load,
        protocols=(r1(16), Protocol("simple-evals", 0.5, 1.0, 2048, 5)),
        items=items,
        final_only=False,
        needs_sandbox=True,
    ),
)
