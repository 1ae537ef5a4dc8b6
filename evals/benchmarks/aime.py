"""AIME 2024 and 2025 (30 problems each), AIME 1983-2023 (975), and HMMT (196 of 2024 and 2025)."""

from __future__ import annotations

from functools import partial

from evals.benchmark import Benchmark, Question, math_question, r1
from evals.data import Data
from evals.hub import Table

_GET = "problems and answers as JSON Lines with id, problem, expected_answer"
_SOURCE = "Mathematical Association of America; R1's prompt (README, usage recommendations)"

YEARS = {
    2024: Table(
        "aime_amc/aime24.jsonl",
        _GET,
        "HuggingFaceH4/aime_2024",
        "2fe88a2f1091d5048c0f36abc874fb997b3dd99a",
        split="train",
    ),
    2025: Table(
        "aime_amc/aime25.jsonl",
        _GET,
        "math-ai/aime25",
        "563bb8404243c5f09de6ec262f2db674fe5bce9b",
    ),
}
PAST = Table(
    "aime_amc/aime_1983_2023.jsonl.gz",
    "AIME 1983-2023 of agentica-project/rllm@874daa4a (MIT), as JSON Lines with problem, answer, "
    "year, aime_number, problem_number",
)
HMMT = Table(
    "aime_amc/comp-math-24-25.jsonl",
    "NVIDIA/NeMo-Skills, nemo_skills/dataset/comp-math-24-25/test.txt (Apache-2.0)",
)


def _load(data: Data, *, year: int) -> list[Question]:
    # The hub's rows say `answer`, and number their ids otherwise.
    return [
        math_question(
            row["id"] if "expected_answer" in row else f"aime{year % 100}-{row['id']}",
            row["problem"],
            [str(row.get("expected_answer", row.get("answer")))],
        )
        for row in YEARS[year].rows(data)
    ]


def _past(data: Data) -> list[Question]:
    return [
        math_question(
            f"aime-{row['year']}-{row['aime_number']}-{row['problem_number']}",
            row["problem"],
            [str(row["answer"])],
            slices={"year": str(row["year"])},
        )
        for row in PAST.rows(data)
    ]


def _hmmt(data: Data) -> list[Question]:
    return [
        math_question(
            row["id"],
            row["problem"],
            [row["expected_answer"]],
            # hmmt_N_2024_guts_12: which round of which contest.
            slices={
                "round": row["id"].split("_")[3],
                "contest": "_".join(row["id"].split("_")[1:3]),
            },
        )
        for row in HMMT.rows(data)
        if row["subset_for_metrics"].startswith("hmmt")
    ]


BENCHMARKS = (
    *(
        Benchmark(
            name=f"aime{year % 100}",
            title=f"AIME {year}",
            source=_SOURCE,
            load=partial(_load, year=year),
            protocols=(r1(64),),
        )
        for year in YEARS
    ),
    Benchmark(
        name="aime_1983_2023",
        title="AIME 1983-2023",
        source=_SOURCE,
        load=_past,
        protocols=(r1(4),),
    ),
    Benchmark(
        name="hmmt",
        title="HMMT 2024 and 2025",
        source="Harvard-MIT Mathematics Tournament; collected by NeMo-Skills (Apache-2.0); "
        "R1's prompt (README, usage recommendations)",
        load=_hmmt,
        protocols=(r1(16),),
    ),
)
