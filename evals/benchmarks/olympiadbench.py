"""OlympiadBench, English text-only competition mathematics with a final answer (675 problems)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from evals.benchmark import Benchmark, Question, r1, user
from evals.data import Data
from evals.hub import Table
from verifier.client import Item

TABLE = Table(
    "olympiadbench/oe_to_maths_en_comp.jsonl.gz",
    "OpenBMB/OlympiadBench, OE_TO_maths_en_COMP, as JSON Lines (MIT)",
    "Hothan/OlympiadBench",
    "91184b52131e7fc9455fef848035173aea8cc01a",
    configs=("OE_TO_maths_en_COMP",),
    split="train",
)

PROMPT = (
    "The following is an open-ended problem from an International Math competition. {kind}Please "
    "calculate the answer according to the given requirements and the information provided. Please "
    "use LaTeX format to represent the variables and formulas used in the solution process and "
    'results. Please end your solution with "So the final answer is {box}." and give the result '
    "explicitly{unit}.\n{question}"
)
"""OpenBMB/OlympiadBench@003c8414, inference/code/evaluators/evaluator.py, `make_prompt`."""

KINDS = {
    "Numerical": "a numerical value",
    "Expression": "an expression",
    "Equation": "an equation",
    "Interval": "an interval",
}
"""As the prompt says an answer's type; nothing is said of tuples."""


def _load(data: Data) -> list[Question]:
    return [_question(row) for row in TABLE.rows(data)]


def _question(row: dict[str, Any]) -> Question:
    item = Item()
    golds = [gold for stated in row["final_answer"] for gold in within(stated, row["error"])]
    item.math.gold.extend(golds)
    return Question(
        str(row["id"]),
        user(_prompt(row)),
        item,
        " or ".join(row["final_answer"]),
        slices={"subject": row["subfield"], "answer": row["answer_type"].lower()},
    )


def _prompt(row: dict[str, Any]) -> str:
    several, kind = row["is_multiple_answer"], KINDS.get(row["answer_type"])
    if kind is None:
        said = ""
    elif several:
        said = f"The problem has multiple answers, each of them should be {kind}. "
    else:
        said = f"The answer of The problem should be {kind}. "
    box = "\\boxed{multiple answers connected with commas}" if several else "\\boxed{answer}"
    unit = ""
    if row["unit"]:
        box += "(unit)"
        unit = ", note that the unit of the answer should not be included in \\boxed{}"
    return PROMPT.format(kind=said, box=box, unit=unit, question=row["question"])


def within(gold: str, error: str | None) -> list[str]:
    """The reference, then the values at its own number of decimals that are at most `error` away
    from it: `("4.2", "1e-1")` gives 4.2, 4.1, 4.3."""
    if not error:
        return [gold]
    value = Decimal(gold)
    step = Decimal(1).scaleb(int(value.as_tuple().exponent))
    away = [step * count for count in range(1, int(Decimal(error) / step) + 1)]
    return [gold, *(str(value + signed) for each in away for signed in (-each, each))]


BENCHMARKS = (
    Benchmark(
        name="olympiadbench",
        title="OlympiadBench (English, mathematics, text only)",
        source="He et al., arXiv 2402.14008 (MIT); its own prompt, checked by the math verifier",
        load=_load,
        protocols=(r1(16),),
    ),
)
