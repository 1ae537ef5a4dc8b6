"""SimpleQA and Chinese SimpleQA: short questions of fact, answers judged correct, incorrect or not
attempted.

Prompts and figures are simple-evals' (simpleqa_eval.py at ee3b031, MIT, OpenAI) and those of its
Chinese fork (OpenStellarTeam/ChineseSimpleQA, chinese_simpleqa_eval.py at 8b1aa9e, MIT). There, the
first of the letters A, B and C in the judge's answer counts, so that "INCORRECT" is a C, and an
answer without any is "not attempted"; here, the letter or the grade's name must be all of the
answer.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from evals.benchmark import Graded, Protocol, Question, Sample, Tools, r1, user
from evals.data import Data
from evals.hub import Table
from evals.judged import (
    Asking,
    Unreadable,
    ask,
    benchmark,
    column,
    over_questions,
    template,
)

SIMPLEQA = Table(
    "simpleqa/simple_qa_test_set.csv",
    "simple_qa_test_set.csv, which simple-evals' simpleqa_eval.py names",
    "basicv8vc/SimpleQA",
    "e319282ab125c3dbd0c7fd00be2e4dd54e7e8f94",
)
CHINESE = Table(
    "c_simpleqa/chinese_simpleqa.jsonl",
    "data/chinese_simpleqa.jsonl of the repository OpenStellarTeam/ChineseSimpleQA at 8b1aa9e",
)

ASKING = Asking(temperature=0.5, max_tokens=16_384)
"""simple-evals' temperature (ChatCompletionSampler); room for a judge that thinks."""
SYSTEM = "You are a helpful assistant."
"""simple-evals' OPENAI_SYSTEM_MESSAGE_API, which its judge gets."""

GRADES = {"A": "correct", "B": "incorrect", "C": "not_attempted"}
_NAMES = {
    "CORRECT": "A",
    "INCORRECT": "B",
    "NOT ATTEMPTED": "C",
    "正确": "A",
    "错误": "B",
    "未尝试": "C",
}
_AROUND = " \t\r\n\"'`*.。【】"
_LETTER_AND_NAME = re.compile(r"([ABC])\s*[:：]?\s*(.*)", re.DOTALL)


def letter(text: str) -> str:
    """A, B or C, alone, with its grade's name, or as that name. Raises Unreadable."""
    said = text.strip(_AROUND).upper().replace("_", " ")
    if said in _NAMES:
        return _NAMES[said]
    if found := _LETTER_AND_NAME.fullmatch(said):
        name = found[2].strip(_AROUND)
        if not name or _NAMES.get(name) == found[1]:
            return found[1]
    raise Unreadable(f"neither A, B nor C and nothing else: {text[:200]!r}")


async def grade(question: Question, response: str, tools: Tools, *, prompt: str) -> Graded:
    """An empty response is not attempted, and no judge is asked."""
    if not response:
        return Graded("no_answer", 0.0, evidence={"grade": "not_attempted"})
    text = template(prompt).format(
        question=question.data["problem"], target=question.gold, predicted_answer=response
    )
    said = await ask(tools, user(text, SYSTEM), ASKING, letter)
    evidence = {"grade": GRADES[said.verdict], "judge": said.text, "tries": said.tries}
    return Graded("ok", float(said.verdict == "A"), response, evidence)


def aggregate(samples: Sequence[Sample]) -> dict[str, float]:
    """Shares of the three grades, accuracy over what was attempted, and the harmonic mean of that
    and of the share of correct answers (`f1`). What the judge has no verdict for is left out."""
    figures = {
        name: share
        for name in GRADES.values()
        if (share := over_questions(samples, partial(_is, name=name))) is not None
    }
    if not figures:
        return {}
    correct, attempted = figures["correct"], figures["correct"] + figures["incorrect"]
    given = correct / attempted if attempted else 0.0
    f1 = 2 * given * correct / (given + correct) if correct else 0.0
    return figures | {"accuracy_given_attempted": given, "f1": f1}


def _is(graded: Graded, *, name: str) -> float:
    return float(graded.evidence["grade"] == name)


def load(data: Data) -> list[Question]:
    """SimpleQA's 4,326 questions, numbered as they stand in the file."""
    return [
        _question(str(number), row, "problem", f"{SIMPLEQA.path}, row {number}")
        for number, row in enumerate(SIMPLEQA.rows(data))
    ]


def load_chinese(data: Data) -> list[Question]:
    """Chinese SimpleQA's 3,000 questions."""
    return [
        _question(column(row, "id", place), row, "question", place)
        for number, row in enumerate(CHINESE.rows(data))
        for place in [f"{CHINESE.path}, row {number}"]
    ]


def _question(id: str, row: Mapping[str, Any], name: str, place: str) -> Question:
    problem = column(row, name, place)
    return Question(
        id,
        user(problem),
        gold=column(row, "answer", place),
        slices=_slices(row),
        data={"problem": problem},
    )


def _slices(row: Mapping[str, Any]) -> dict[str, str]:
    """Topics, as each of the files has them."""
    if "primary_category" in row:
        return {"topic": str(row["primary_category"])}
    try:
        told = ast.literal_eval(str(row.get("metadata", "")))
    except (ValueError, SyntaxError):
        return {}
    if not isinstance(told, dict):
        return {}
    return {name: str(told[name]) for name in ("topic", "answer_type") if name in told}


SIMPLE_EVALS = Protocol("simple-evals", temperature=0.5, top_p=1.0, max_tokens=2048, k=1)

BENCHMARKS = (
    benchmark(
        name="simpleqa",
        title="SimpleQA",
        source="Wei et al., arXiv 2411.04368, MIT; simple-evals' prompts (ee3b031)",
        load=load,
        protocols=(r1(4), SIMPLE_EVALS),
        grade=partial(grade, prompt="simpleqa"),
        aggregate=aggregate,
    ),
    benchmark(
        name="c_simpleqa",
        title="Chinese SimpleQA",
        source="He et al., arXiv 2411.07140; the authors' prompts (8b1aa9e, MIT)",
        load=load_chinese,
        protocols=(r1(4), SIMPLE_EVALS),
        grade=partial(grade, prompt="c_simpleqa"),
        aggregate=aggregate,
    ),
)
