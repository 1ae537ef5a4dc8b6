"""LiveCodeBench: the official prompt, windows and tests; o1-mini's figures from stored verdicts and
from our own, each difference named.

Of the stored responses the default run grades one in eight, TOUCHSTONE_WHOLE_DATA=1 all.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import zlib
from pathlib import Path
from typing import Any

import pytest

from evals.benchmark import Graded, Question, Sample
from evals.benchmarks import livecodebench as lcb
from evals.data import Data, DataMissing
from tests.evals.grading import grade
from tests.verifier.code.data.reading import Row, rows
from verifier.embedded import EmbeddedServer

WHOLE = os.environ.get("TOUCHSTONE_WHOLE_DATA", "") not in ("", "0")
EVERY = 8
ALL, SINCE, R1 = lcb.BENCHMARKS


@pytest.fixture(scope="module")
def data(data_dir: Path) -> Data:
    return Data(data_dir, hub=False)


@pytest.fixture(scope="module")
def stored(data_dir: Path) -> list[Row]:
    responses = rows(data_dir / "verdicts/livecodebench_o1mini.jsonl.gz")
    assert len(responses) == 880
    return responses


def test_names_say_the_window() -> None:
    assert [benchmark.name for benchmark in lcb.BENCHMARKS] == [
        "livecodebench",
        "livecodebench:2023-09-01..2025-02-01",
        "livecodebench:2024-08-01..2025-02-01",
    ]


def test_the_prompt_is_the_official_one() -> None:
    system, with_starter = lcb.messages("Add.", "class Solution:\n    ")
    assert system.role == "system"
    assert system.content.startswith("You are an expert Python programmer. You will be given")
    assert with_starter.content == (
        "### Question:\nAdd.\n\n"
        "### Format: You will use the following starter code to write the solution to the problem "
        "and enclose your code within delimiters.\n"
        "```python\nclass Solution:\n    \n```\n\n"
        "### Answer: (use the provided format with backticks)\n\n"
    )
    _, without = lcb.messages("Add {braces}.", "")
    assert without.content == (
        "### Question:\nAdd {braces}.\n\n"
        "### Format: Read the inputs from stdin solve the problem and write the answer to stdout "
        "(do not directly test on the sample inputs). Enclose your code within delimiters as "
        "follows. Ensure that when the python program runs, it reads the inputs, runs the "
        "algorithm and writes output to STDOUT.\n"
        "```python\n# YOUR CODE HERE\n```\n\n"
        "### Answer: (use the provided format with backticks)\n\n"
    )


# The hub's rows


def hub_row(**changed: Any) -> dict[str, Any]:
    public = [{"input": "1 2\n", "output": "3\n", "testtype": "stdin"}]
    private = [{"input": "5 5\n", "output": "10\n", "testtype": "stdin"}]
    row = {
        "question_id": "own_a",
        "question_content": "Add two numbers.",
        "starter_code": "",
        "platform": "atcoder",
        "contest_date": "2024-08-03T00:00:00",
        "difficulty": "easy",
        "metadata": "{}",
        "public_test_cases": json.dumps(public),
        "private_test_cases": pack(pickle.dumps(json.dumps(private))),
    }
    return row | changed


def pack(raw: bytes) -> str:
    return base64.b64encode(zlib.compress(raw)).decode()


ADDS = "```python\nprint(sum(map(int, input().split())))\n```"
SAMPLE_ONLY = "```python\ninput(); print(3)\n```"


@pytest.mark.parametrize("plain", [True, False])
def test_rows_of_the_hub(server: EmbeddedServer, plain: bool) -> None:
    row = hub_row()
    if plain:
        row |= {"private_test_cases": json.dumps([{"input": "5 5\n", "output": "10\n"}])}
    (question,) = lcb.from_hub([row])
    assert question.slices == {
        "difficulty": "easy",
        "platform": "atcoder",
        "date": "2024-08-03",
        "tests": "all",
    }
    right, wrong = grade(server, ALL, [(question, ADDS), (question, SAMPLE_ONLY)])
    assert (right.graded.score, wrong.graded.score) == (1.0, 0.0)
    # The private test stays out of what is shown.
    failed = wrong.graded.evidence["evidence"]["code"]["tests"][1]
    assert not {"input", "expected", "got"} & failed.keys()


def test_calls_of_the_hub(server: EmbeddedServer) -> None:
    test = {"input": "[1, 2]\n3", "output": "[1, 2, 3]", "testtype": "functional"}
    row = hub_row(
        metadata=json.dumps({"func_name": "push"}),
        starter_code="class Solution:\n    def push(self, a: List[int], x: int) -> List[int]:\n",
        public_test_cases=json.dumps([test]),
        private_test_cases="[]",
    )
    (question,) = lcb.from_hub([row])
    method = "class Solution:\n    def push(self, a: List[int], x: int):\n        return {}\n"
    listed, tupled = (
        f"```python\n{method.format(value)}```" for value in ("a + [x]", "(*map(float, a), x)")
    )
    samples = grade(server, ALL, [(question, listed), (question, tupled)])
    assert [sample.graded.score for sample in samples] == [1.0, 1.0]
    assert [official(sample) for sample in samples] == [1.0, 1.0]


class Hostile:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch /tmp/hostile",)


@pytest.mark.parametrize(
    ("packed", "why"),
    [
        (pack(pickle.dumps(Hostile())), "posix.system; only plain values are read"),
        (pack(pickle.dumps(print)), "only plain values are read"),
        (pack(pickle.dumps("not JSON")), "neither JSON nor packed JSON"),
        (pack(pickle.dumps("[]"))[:-8], "neither JSON nor packed|cut short"),
        (base64.b64encode(b"not deflated").decode(), "neither JSON nor packed JSON"),
        ("no base64 at all!", "neither JSON nor packed JSON"),
        (pack(b""), "neither JSON nor packed JSON"),
    ],
)
def test_private_tests_that_are_none_are_refused(packed: str, why: str) -> None:
    with pytest.raises(DataMissing, match=why):
        lcb.private_tests(packed)


def test_private_tests_have_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = pack(pickle.dumps(json.dumps([{"input": "0" * 5000, "output": ""}])))
    assert len(lcb.private_tests(packed)) == 1
    monkeypatch.setattr(lcb, "PRIVATE_BYTES", 4000)
    with pytest.raises(DataMissing, match="above 4000 bytes"):
        lcb.private_tests(packed)


def test_a_broken_row_is_named() -> None:
    with pytest.raises(DataMissing, match="row 1: "):
        list(lcb.from_hub([hub_row(), hub_row(metadata="{")]))


def test_neither_folder_nor_hub_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="livecodebench/code_generation_lite@0fe84c39"):
        lcb.load(Data(tmp_path, hub=False))


def test_files_of_the_hub_in_a_folder(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    folder = tmp_path / lcb.FOLDER
    folder.mkdir()
    for number, file in enumerate(lcb.FILES):
        (folder / file).write_text(json.dumps(hub_row(question_id=f"own_{number}")) + "\n")
    data = Data(tmp_path, hub=False)
    questions = lcb.load(data)
    assert [question.id for question in questions] == [f"own_{n}" for n in range(5)]
    assert len(lcb.load(data, lcb.R1_WINDOW)) == 5
    assert not lcb.load(data, ("2024-08-04", "2025-01-01"))
    items = lcb.items(questions[3], ADDS)
    assert [test.stdin for test in items["default"].code.tests] == ["1 2\n", "5 5\n"]
    assert len(data.read) == 5


# The rebuilt problems


@pytest.mark.parametrize(("benchmark", "count"), [(ALL, 880), (SINCE, 717), (R1, 279)])
def test_windows(data: Data, benchmark: Any, count: int) -> None:
    assert len(benchmark.load(data)) == count


def test_problems_say_what_their_tests_are(data: Data) -> None:
    marks = [question.slices["tests"] for question in ALL.load(data)]
    assert (marks.count("at hand"), marks.count("none")) == (851, 29)


def test_without_tests_nothing_is_graded(data: Data, server: EmbeddedServer) -> None:
    bare = next(question for question in ALL.load(data) if question.slices["tests"] == "none")
    (sample,) = grade(server, ALL, [(bare, ADDS)])
    assert (sample.graded.status, sample.graded.score) == ("grader_error", None)


# o1-mini


def official(sample: Sample) -> float | None:
    return lcb._official(sample)


def test_figures_from_stored_verdicts(data: Data, stored: list[Row]) -> None:
    by_id = {row["question_id"]: row for row in stored}
    samples = []
    for question in ALL.load(data):
        score = float(by_id[question.id]["expected"])
        others = {"others": {"lcb": {"score": score}}}
        samples.append(Sample(question, 0, "", Graded("ok", score, "", others)))
    figures = {name: round(100 * value, 2) for name, value in lcb.aggregate(samples).items()}
    r1 = "2024-08-01..2025-02-01"
    assert figures["default"] == figures["lcb"] == 68.41
    assert figures["lcb - default"] == 0
    assert figures["default 2023-09-01..2025-02-01"] == 65.69
    assert [figures[f"default {r1}{level}"] for level in ("", " easy", " medium", " hard")] == [
        51.97,
        91.04,
        67.42,
        19.51,
    ]
    levels = {
        level: [s.graded.score for s in samples if s.question.slices["difficulty"] == level]
        for level in ("easy", "medium", "hard")
    }
    shares = {
        level: round(100 * sum(held) / len(held), 2)  # type: ignore[arg-type]
        for level, held in levels.items()
    }
    assert shares == {"easy": 94.98, "medium": 73.41, "hard": 34.81}


# Wrong by the official rule of extraction alone: a fence within a fence, between whose last two
# lines there is nothing. The program itself passes the tests at hand.
FOUND_BY_DEFAULT = {"3637", "abc384_g"}


def test_figures_from_our_own_verdicts(
    data: Data, stored: list[Row], server: EmbeddedServer
) -> None:
    by_id = {row["question_id"]: row for row in stored}
    questions = [q for q in ALL.load(data) if q.slices["tests"] == "at hand"]
    questions = questions if WHOLE else questions[::EVERY] + _named(questions)
    asked = [(question, by_id[question.id]["response"]) for question in questions]
    samples = grade(server, ALL, asked)
    unexplained: list[str] = []
    for sample in samples:
        row, id = by_id[sample.question.id], sample.question.id
        for name, score in (("default", sample.graded.score), ("lcb", official(sample))):
            said = f"{id} {name}: ours {score}, official {row['expected']}"
            if score is None:
                unexplained.append(said)
            elif bool(score) != row["expected"] and not explained(row, id, name, bool(score)):
                unexplained.append(f"{said}: {sample.graded.evidence}"[:600])
        extracted = sample.graded.evidence["others"]["lcb"]["extracted"]
        assert extracted == (row["code"] if row["code"].strip() else ""), id
    assert not unexplained
    if WHOLE:
        # Of 851 problems with tests at hand 602 are solved, and 29 wrong programs fail none of
        # these tests; officially 602 of 880 are, none of the 29 problems without a test.
        figures = {name: round(100 * value, 2) for name, value in lcb.aggregate(samples).items()}
        assert (figures["lcb"], figures["default"]) == (74.15, 74.38)


def explained(row: Row, id: str, grading: str, ours: bool) -> bool:
    """Why our verdict on the tests at hand may differ from the official one on all tests: the data
    says that these tests cannot tell, or the problem has several right answers, or the extraction
    above."""
    if ours and not row["expected"]:
        return not row["decidable"] or (grading == "default" and id in FOUND_BY_DEFAULT)
    return row["errata"] is not None


def _named(questions: list[Question]) -> list[Question]:
    held = {question.id for question in questions[::EVERY]}
    return [q for q in questions if q.id in FOUND_BY_DEFAULT - held]
