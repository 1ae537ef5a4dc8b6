"""MBPP, the test split: tasks 11 to 510, three asserts each.

The prompt is DeepSeek-Coder's for chat models (Evaluation/MBPP/eval_instruct.py at 0504740), with
tasks 2, 3 and 4 of the data as its examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evals.benchmark import Benchmark, Question, r1, user
from evals.data import Data
from evals.hub import Table
from verifier.client import Item

PROMPT = """\
Please refer the given examples and generate a python function for my problem.
Examples are listed as follows:
{examples}

Here is my problem:
{problem}"""
TABLE = Table(
    "mbpp/mbpp.jsonl",
    "mbpp/mbpp.jsonl of google-research/google-research",
    "google-research-datasets/mbpp",
    "4bb6404fdc6cacfda99d4ac4205087b89d32030c",
    configs=("full",),
    split="prompt+test",
)
EXAMPLES = (2, 3, 4)
FIRST, LAST = 11, 510
CPU_SECONDS = 10.0
"""Of the asserts (Evaluation/MBPP/human_eval/evaluation.py), there by the clock."""


def shown(row: Mapping[str, Any]) -> str:
    """A problem as the prompt has it."""
    tests = "\n".join(row["test_list"])
    return f">>> Problem:\n{row['text'].strip()}\n>>> Test Cases:\n{tests}\n"


def example(number: int, row: Mapping[str, Any]) -> str:
    """A problem with its solution."""
    code = row["code"].replace("\r", "").replace("\t", "    ")
    return f"- Example {number}:\n{shown(row)}\n>>> Code:\n```python\n{code}\n```"


def question(row: Mapping[str, Any], examples: str) -> Question:
    """One task."""
    item = Item()
    item.code.language = "python"
    item.code.limits.cpu_seconds = CPU_SECONDS
    source = "\n".join([row["test_setup_code"], *row["test_list"], ""])
    item.code.tests.add(source=source)
    prompt = PROMPT.format(examples=examples, problem=shown(row))
    return Question(str(row["task_id"]), user(prompt), item)


def load(data: Data) -> list[Question]:
    """Tasks FIRST to LAST."""
    rows = {int(row["task_id"]): row for row in TABLE.rows(data)}
    examples = "\n\n".join(example(n, rows[id]) for n, id in enumerate(EXAMPLES, 1))
    return [question(rows[id], examples) for id in range(FIRST, LAST + 1)]


BENCHMARKS = (
    Benchmark(
        name="mbpp",
        title="MBPP",
        source="Austin et al., arXiv 2108.07732, CC BY 4.0; DeepSeek-Coder's prompt",
        load=load,
        protocols=(r1(8),),
        needs_sandbox=True,
    ),
)
