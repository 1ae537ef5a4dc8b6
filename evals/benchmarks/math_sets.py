"""Sets of problems with a final answer: MATH, its 500, GSM8K, AMC, Minerva, CNMO.

R1's directive for mathematics is the prompt of all; the verification service checks the answers.
Not covered: Minerva's own tolerance for rounded values; the service's rules for decimals hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from evals.benchmark import Benchmark, BenchmarkError, Protocol, Question, math_question, r1
from evals.data import Data
from evals.hub import Table
from evals.records import digest

_PROMPT = "R1's prompt (README, usage recommendations)"


@dataclass(frozen=True)
class _Row:
    """What a question is made of."""

    id: str
    problem: str
    answer: str
    slices: Mapping[str, str]


def _load(
    data: Data, *, table: Table, read: Callable[[int, dict[str, Any]], _Row]
) -> list[Question]:
    questions = []
    for place, raw in enumerate(table.rows(data)):
        try:
            row = read(place, raw)
        except (LookupError, ValueError) as error:
            raise BenchmarkError(f"{table.path}, row {place}: {error!r}") from error
        questions.append(math_question(row.id, row.problem, [row.answer], slices=row.slices))
    return questions


_BOX = re.compile(r"\\(?:boxed|fbox)\s*(\{|\S)")


def boxed(solution: str) -> str:
    r"""What the last \boxed or \fbox of a solution holds. Raises ValueError without one."""
    boxes = list(_BOX.finditer(solution))
    if not boxes:
        raise ValueError("the solution has no box")
    found = boxes[-1]
    if found[1] != "{":
        return found[1]
    depth = 0
    for at in range(found.start(1), len(solution)):
        depth += {"{": 1, "}": -1}.get(solution[at], 0)
        if depth == 0:
            return solution[found.end() : at].strip()
    raise ValueError("the solution's last box is never closed")


def _math500(place: int, row: dict[str, Any]) -> _Row:
    slices = {"subject": row["subject"], "difficulty": f"level {row['level']}"}
    return _Row(row["unique_id"], row["problem"], row["answer"], slices)


def _math(place: int, row: dict[str, Any]) -> _Row:
    # Copies number their rows differently; the text is the same in all.
    slices = {"subject": row["type"], "difficulty": row["level"].lower()}
    return _Row(digest(row["problem"]), row["problem"], boxed(row["solution"]), slices)


def _gsm8k(place: int, row: dict[str, Any]) -> _Row:
    _, mark, answer = row["answer"].rpartition("####")
    if not mark:
        raise ValueError("the answer has no ####")
    return _Row(f"gsm8k-{place}", row["question"], answer.strip(), {})


def _amc(place: int, row: dict[str, Any]) -> _Row:
    # .../2022_AMC_12A_Problems/Problem_1
    contest, number = re.findall(r"/(\w+)_Problems/Problem_(\d+)", row["url"])[-1]
    # The answers are whole numbers, written as floats.
    answer = f"{float(row['answer']):.0f}"
    problem = row["problem"] if "problem" in row else row["question"]
    return _Row(f"{contest}-{number}", problem, answer, {"contest": contest})


def _minerva(place: int, row: dict[str, Any]) -> _Row:
    answer = row["answer"] if "answer" in row else boxed(row["solution"])
    slices = {"subject": row["type"]} if row.get("type") else {}
    problem = row["problem"] if "problem" in row else row["question"]
    return _Row(f"minerva-{row.get('idx', place)}", problem, str(answer), slices)


def _cnmo(place: int, row: dict[str, Any]) -> _Row:
    return _Row(f"cnmo2024-{row.get('id', place)}", row["problem"], str(row["answer"]), {})


MATH500 = Table(
    "math500/test.jsonl",
    "openai/prm800k, prm800k/math_splits/test.jsonl (MIT)",
    "HuggingFaceH4/MATH-500",
    "6e4ed1a2a79af7d8630a6b768ec859cb5af4d3be",
)
MATH = Table(
    "math_full/test.jsonl.gz",
    "MATH's 5,000 test problems as JSON Lines with problem, level, type, solution",
    "EleutherAI/hendrycks_math",
    "21a5633873b6a120296cce3e2df9d5550074f4a3",
    configs=(
        "algebra",
        "counting_and_probability",
        "geometry",
        "intermediate_algebra",
        "number_theory",
        "prealgebra",
        "precalculus",
    ),
)
GSM8K = Table(
    "gsm8k/test.jsonl",
    "openai/grade-school-math, grade_school_math/data/test.jsonl (MIT)",
    "openai/gsm8k",
    "740312add88f781978c0658806c59bc2815b9866",
    configs=("main",),
)
AMC = Table(
    "aime_amc/aimo_validation_amc.jsonl",
    "AI-MO's 83 problems of AMC 12, 2022 and 2023, as JSON Lines with problem, answer, url",
    "AI-MO/aimo-validation-amc",
    "69d78a4a2c840e82d69af6bc742bda09005f6316",
    split="train",
)
MINERVA = Table(
    "minerva/test.jsonl",
    "your copy of the 272 problems of Minerva's OCWCourses (arXiv 2206.14858): JSON Lines with "
    "problem, solution or answer, idx, type",
)
CNMO = Table(
    "cnmo2024/test.jsonl",
    "your copy of the problems of the Chinese National High School Mathematics Olympiad 2024: "
    "JSON Lines with id, problem, answer",
)


def _benchmark(
    name: str,
    title: str,
    source: str,
    table: Table,
    read: Callable[[int, dict[str, Any]], _Row],
    protocol: Protocol,
) -> Benchmark:
    return Benchmark(
        name=name,
        title=title,
        source=f"{source}; {_PROMPT}",
        load=partial(_load, table=table, read=read),
        protocols=(protocol,),
    )


BENCHMARKS = (
    _benchmark(
        "math500",
        "MATH-500",
        "Hendrycks et al., arXiv 2103.03874; the 500 of Lightman et al., arXiv 2305.20050 (MIT)",
        MATH500,
        _math500,
        r1(16),
    ),
    _benchmark("math", "MATH", "Hendrycks et al., arXiv 2103.03874 (MIT)", MATH, _math, r1(4)),
    _benchmark("gsm8k", "GSM8K", "Cobbe et al., arXiv 2110.14168 (MIT)", GSM8K, _gsm8k, r1(4)),
    _benchmark(
        "amc",
        "AMC 12, 2022 and 2023",
        "Mathematical Association of America; whole-number answers as AI-MO made them",
        AMC,
        _amc,
        r1(64),
    ),
    _benchmark(
        "minerva",
        "Minerva",
        "Lewkowycz et al., arXiv 2206.14858 (MIT OpenCourseWare)",
        MINERVA,
        _minerva,
        r1(16),
    ),
    _benchmark(
        "cnmo2024",
        "CNMO 2024",
        "Chinese Mathematical Society",
        CNMO,
        _cnmo,
        r1(64),
    ),
)
