"""Sets of mathematics: hand-written rows, the real files, and golds that the verifier accepts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evals.benchmark import BOXED, BenchmarkError, Question
from evals.benchmarks import named, olympiadbench
from evals.benchmarks.math_sets import boxed
from evals.data import Data, DataMissing
from evals.hub import Table
from tests.evals.benchmarks.support import folder, real, scores, text
from verifier.embedded import EmbeddedServer


@pytest.mark.parametrize(
    ("solution", "answer"),
    [
        (r"So $\boxed{3}$.", "3"),
        (r"First \boxed{1}, then \boxed{ \frac{1}{2} }.", r"\frac{1}{2}"),
        (r"\fbox{a_{b_{c}}}", "a_{b_{c}}"),
        (r"\boxed 7", "7"),
        (r"\boxed{\left\{1,2\right\}}", r"\left\{1,2\right\}"),
    ],
)
def test_boxed(solution: str, answer: str) -> None:
    assert boxed(solution) == answer


@pytest.mark.parametrize("solution", ["", "the answer is 3", r"\boxed{\frac{1}{2}"])
def test_no_box(solution: str) -> None:
    with pytest.raises(ValueError, match="box"):
        boxed(solution)


HAND: dict[str, tuple[str, dict[str, Any], str, str, str]] = {
    "math500": (
        "math500/test.jsonl",
        {
            "problem": "One half?",
            "solution": "",
            "answer": "\\frac12",
            "subject": "Algebra",
            "level": 2,
            "unique_id": "test/algebra/1.json",
        },
        "test/algebra/1.json",
        "One half?",
        "\\frac12",
    ),
    "math": (
        "math_full/test.jsonl.gz",
        {"problem": "Two?", "level": "Level 3", "type": "Algebra", "solution": "It is \\boxed{2}."},
        "",
        "Two?",
        "2",
    ),
    "gsm8k": (
        "gsm8k/test.jsonl",
        {"question": "How many?", "answer": "2+2=<<2+2=4>>4 and 996 more\n#### 1,000"},
        "gsm8k-0",
        "How many?",
        "1,000",
    ),
    "amc": (
        "aime_amc/aimo_validation_amc.jsonl",
        {
            "id": 9,
            "problem": "Minus four?",
            "answer": -4.0,
            "url": "https://example.org/wiki/2022_AMC_12A_Problems/Problem_13",
        },
        "2022_AMC_12A-13",
        "Minus four?",
        "-4",
    ),
    "minerva": (
        "minerva/test.jsonl",
        {"idx": 5, "problem": "Mass?", "solution": "\\boxed{1.5e33} grams", "type": "Astronomy"},
        "minerva-5",
        "Mass?",
        "1.5e33",
    ),
    "cnmo2024": (
        "cnmo2024/test.jsonl",
        {"id": "A3", "problem": "三？", "answer": 3},
        "cnmo2024-A3",
        "三？",
        "3",
    ),
    "aime24": (
        "aime_amc/aime24.jsonl",
        {"id": "aime24-7", "problem": "Seven?", "expected_answer": "007"},
        "aime24-7",
        "Seven?",
        "007",
    ),
    "aime_1983_2023": (
        "aime_amc/aime_1983_2023.jsonl.gz",
        {"problem": "p", "answer": "60", "year": 1983, "aime_number": 1, "problem_number": 2},
        "aime-1983-1-2",
        "p",
        "60",
    ),
    "hmmt": (
        "aime_amc/comp-math-24-25.jsonl",
        {
            "id": "hmmt_F_2025_algebra_3",
            "problem": "p",
            "expected_answer": "$\\sqrt 2$",
            "subset_for_metrics": "hmmt-24-25",
        },
        "hmmt_F_2025_algebra_3",
        "p",
        "$\\sqrt 2$",
    ),
}


@pytest.mark.parametrize("name", HAND)
def test_hand_written(name: str, tmp_path: Path, server: EmbeddedServer) -> None:
    path, row, id, problem, gold = HAND[name]
    (question,) = named(name).load(folder(tmp_path, {path: [row]}))
    assert not id or question.id == id
    assert text(question) == f"{problem}\n{BOXED}"
    assert question.gold == gold
    right, wrong = f"So \\boxed{{{gold}}}.", "So \\boxed{987654}."
    assert scores(server, [(question, right), (question, wrong), (question, "")]) == [1, 0, 0]


def test_a_row_that_is_not_as_it_should_be_is_named(tmp_path: Path) -> None:
    rows = [{"question": "q", "answer": "#### 1"}, {"question": "q", "answer": "one"}]
    with pytest.raises(BenchmarkError, match=r"gsm8k/test.jsonl, row 1: .*no ####"):
        named("gsm8k").load(folder(tmp_path, {"gsm8k/test.jsonl": rows}))


@pytest.mark.parametrize("name", ["minerva", "cnmo2024"])
def test_where_to_get_what_is_not_there(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="your copy of"):
        named(name).load(Data(tmp_path, hub=False))


def test_what_splits_lines_elsewhere_is_text_in_a_row(tmp_path: Path) -> None:
    rows = [{"question": "one\u2028two\x85three", "answer": "#### 1"}]
    (question,) = named("gsm8k").load(folder(tmp_path, {"gsm8k/test.jsonl": rows}))
    assert text(question).startswith("one\u2028two\x85three\n")


@pytest.mark.parametrize("line", ["{", "[1]"])
def test_a_line_that_is_no_object_is_named(tmp_path: Path, line: str) -> None:
    content = f'{{"question": "q", "answer": "#### 1"}}\n{line}\n'
    with pytest.raises(DataMissing, match=r"gsm8k/test.jsonl, line 2: "):
        named("gsm8k").load(folder(tmp_path, {"gsm8k/test.jsonl": content}))


def test_the_hub_is_the_second_place(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"MATH-500@6e4ed1a2.* test: .*data folder as math500/"):
        named("math500").load(Data(tmp_path, hub=False))


def test_rows_of_the_hub_have_their_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def from_hub(self: Data, dataset: str, revision: str, **how: Any) -> list[dict[str, Any]]:
        asked.append((dataset, revision, how))
        return [{"n": how["config"]}]

    monkeypatch.setattr(Data, "from_hub", from_hub)
    table = Table("a.jsonl", "somewhere", "d/s", "abc", configs=("x", "y"), split="val")
    assert table.rows(Data(tmp_path)) == [{"n": "x", "config": "x"}, {"n": "y", "config": "y"}]
    assert asked == [("d/s", "abc", {"config": config, "split": "val"}) for config in ("x", "y")]


def test_rows_of_the_hub_are_read_too(tmp_path: Path) -> None:
    """Hub and folder name the columns of AIME differently."""
    row = {"id": 60, "problem": "p", "answer": "204", "year": "2024"}
    (question,) = named("aime24").load(folder(tmp_path, {"aime_amc/aime24.jsonl": [row]}))
    assert (question.id, question.gold) == ("aime24-60", "204")


# ---------------------------------------------------------------- the real files


@pytest.mark.parametrize(
    ("name", "path", "count"),
    [
        ("math500", "math500/test.jsonl", 500),
        ("math", "math_full/test.jsonl.gz", 5_000),
        ("gsm8k", "gsm8k/test.jsonl", 1_319),
        ("amc", "aime_amc/aimo_validation_amc.jsonl", 83),
        ("aime24", "aime_amc/aime24.jsonl", 30),
        ("aime25", "aime_amc/aime25.jsonl", 30),
        ("aime_1983_2023", "aime_amc/aime_1983_2023.jsonl.gz", 975),
        ("hmmt", "aime_amc/comp-math-24-25.jsonl", 196),
        ("olympiadbench", "olympiadbench/oe_to_maths_en_comp.jsonl.gz", 675),
    ],
)
def test_every_gold_matches_itself(
    name: str, path: str, count: int, data_dir: Path, server: EmbeddedServer
) -> None:
    questions = real(data_dir, named(name), path)
    assert len(questions) == count
    found = scores(server, [(one, f"\\boxed{{{one.gold}}}") for one in questions])
    assert [one.id for one, score in zip(questions, found, strict=True) if score != 1] == []


def test_slices_of_math(data_dir: Path) -> None:
    questions = real(data_dir, named("math"), "math_full/test.jsonl.gz")
    levels = Counter(question.slices["difficulty"] for question in questions)
    assert levels == {
        "level 1": 437,
        "level 2": 894,
        "level 3": 1131,
        "level 4": 1214,
        "level 5": 1324,
    }
    assert len({question.slices["subject"] for question in questions}) == 7


# ---------------------------------------------------------------- OlympiadBench


@pytest.mark.parametrize(
    ("gold", "error", "accepted"),
    [
        ("4.2", None, ["4.2"]),
        ("4.2", "1e-1", ["4.2", "4.1", "4.3"]),
        ("0.05", "0.02", ["0.05", "0.04", "0.06", "0.03", "0.07"]),
        ("7", "1e-1", ["7"]),
        ("-7", "1", ["-7", "-8", "-6"]),
    ],
)
def test_tolerance(gold: str, error: str | None, accepted: list[str]) -> None:
    assert olympiadbench.within(gold, error) == accepted


def _olympiad(tmp_path: Path, **changes: Any) -> Question:
    row = {
        "id": 1,
        "subfield": "Algebra",
        "context": None,
        "question": "Solve.",
        "final_answer": ["$1$,$2$"],
        "is_multiple_answer": True,
        "unit": None,
        "answer_type": "Numerical",
        "error": None,
    }
    data = folder(tmp_path, {olympiadbench.TABLE.path: [row | changes]})
    (question,) = named("olympiadbench").load(data)
    return question


def test_several_answers_in_any_order(tmp_path: Path, server: EmbeddedServer) -> None:
    question = _olympiad(tmp_path)
    assert "The problem has multiple answers, each of them should be a numerical value. " in text(
        question
    )
    assert "\\boxed{multiple answers connected with commas}." in text(question)
    answers = ["1, 2", "2, 1", "1", "1, 2, 3", "\\{2,1\\}"]
    found = scores(server, [(question, f"\\boxed{{{answer}}}") for answer in answers])
    assert found == [1, 1, 0, 0, 1]


def test_unit_and_tolerance(tmp_path: Path, server: EmbeddedServer) -> None:
    changes = {"final_answer": ["4.2"], "is_multiple_answer": False, "unit": "%", "error": "1e-1"}
    question = _olympiad(tmp_path, **changes)
    assert text(question) == (
        "The following is an open-ended problem from an International Math competition. The answer "
        "of The problem should be a numerical value. Please calculate the answer according to the "
        "given requirements and the information provided. Please use LaTeX format to represent the "
        "variables and formulas used in the solution process and results. Please end your solution "
        'with "So the final answer is \\boxed{answer}(unit)." and give the result explicitly, note '
        "that the unit of the answer should not be included in \\boxed{}.\nSolve."
    )
    answers = ["4.2", "4.3", "4.4", "4.2\\%"]
    found = scores(server, [(question, f"\\boxed{{{answer}}}(\\%)") for answer in answers])
    assert found[:3] == [1, 1, 0]


def test_nothing_is_said_of_tuples(tmp_path: Path) -> None:
    question = _olympiad(tmp_path, answer_type="Tuple")
    assert "competition. Please calculate" in text(question)


def test_olympiadbench_answers_in_any_order(data_dir: Path, server: EmbeddedServer) -> None:
    questions = real(data_dir, named("olympiadbench"), olympiadbench.TABLE.path)
    pairs = []
    for question in questions:
        parts = question.gold.replace("$", "").split(",")
        several = question.slices["answer"] == "numerical" and "multiple" in text(question)
        if several and "(" not in question.gold:
            pairs += [
                (question, f"\\boxed{{{','.join(chosen)}}}") for chosen in (parts[::-1], parts[1:])
            ]
    assert len(pairs) > 80
    assert scores(server, pairs) == [1, 0] * (len(pairs) // 2)
