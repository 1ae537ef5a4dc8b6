"""DROP: simple-evals' prompt and F1, on hand-written rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evals.benchmark import BenchmarkError, Question, Tools
from evals.benchmarks import drop, named
from evals.data import DataMissing
from tests.evals.benchmarks.support import folder, sample, text

TASK = {
    "context": "Passage: Ann has two cats and a dog.\nQuestion: How many cats?\nAnswer:",
    "completion": "2",
    "ref_text": "2|two| ",
}


def example(n: int) -> dict[str, Any]:
    context = f"Passage: There are {n} hens.\nQuestion: How many hens are there?\nAnswer:"
    return {"context": context, "completion": f"{n}", "ref_text": f"{n}"}


def load(root: Path, rows: list[dict[str, Any]], train: int = 5) -> list[Question]:
    files = {drop.DEV.path: rows, drop.TRAIN.path: [example(n) for n in range(train)]}
    return list(named("drop").load(folder(root, files)))


def test_prompt(tmp_path: Path) -> None:
    (question,) = load(tmp_path, [TASK])
    assert (question.id, question.gold, question.item) == ("drop-0", "2 or two", None)
    shown = drop.drawn(TASK, [example(n) for n in range(5)])
    assert len({one["completion"] for one in shown}) == 3
    shots = "".join(f"\n---\n{one['context']} {one['completion']}\n" for one in shown)
    assert text(question) == (
        "You will be asked to read a passage and answer a question. Some examples of passages and "
        f"Q&A are provided below.\n\n# Examples{shots}\n# Your Task\n\n---\n{TASK['context']} \n\n"
        'Think step by step, then write a line of the form "Answer: $ANSWER" at the end of your '
        "response.\n" + 20 * " "
    )


def test_examples_are_the_questions_own(tmp_path: Path) -> None:
    rows = [TASK | {"context": f"Passage: p{n}\nQuestion: q\nAnswer:"} for n in range(6)]
    forward, backward = load(tmp_path, rows, 50), load(tmp_path, rows[::-1], 50)
    assert [text(one) for one in forward] == [text(one) for one in backward[::-1]]
    assert len({text(one).split("# Your Task")[0] for one in forward}) == 6


def test_questions_of_a_passage_are_a_cluster(tmp_path: Path) -> None:
    same = TASK | {"context": TASK["context"].replace("cats?", "dogs?")}
    first, second, third = load(tmp_path, [TASK, same, example(1)])
    assert first.cluster == second.cluster != third.cluster


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"simple-evals/drop_v0_train.jsonl.gz"):
        named("drop").load(folder(tmp_path, {drop.DEV.path: [TASK]}))
    with pytest.raises(BenchmarkError, match="row 0: ref_text has no answer"):
        load(tmp_path, [TASK | {"ref_text": " | "}])


@pytest.mark.parametrize(
    ("answer", "gold", "f1", "exact"),
    [
        ("2", "2", 1.0, 1.0),
        ("The 2.0", "2", 1.0, 1.0),
        ("2.0!", "2", 0.0, 0.0),  # what is no number loses its point: 20, as in DROP's script
        ("1,000 yards", "1000 yards", 1.0, 1.0),
        ("Tom Brady", "Brady", 0.6667, 0.0),
        ("the cat", "cat", 1.0, 1.0),
        ("3 yards", "2 yards", 0.0, 0.0),  # another number
        ("3 2 yards", "2 yards", 0.8, 0.0),
        ("yards", "2 yards", 0.0, 0.0),
        ("a-b", "b", 1.0, 1.0),  # "a" is an article
        ("African-American", "african american", 1.0, 1.0),
        ("", "cat", 0.0, 0.0),
        ("dog", "cat", 0.0, 0.0),
        ("30-yard pass", "30-yard", 0.8, 0.0),
        ("cat cat", "cat", 1.0, 0.0),  # bags are sets, as in DROP's script
    ],
)
def test_f1(answer: str, gold: str, f1: float, exact: float) -> None:
    assert drop.compared(answer, gold) == (f1, exact)


@pytest.mark.parametrize(
    ("response", "status", "score", "extracted", "exact"),
    [
        ("He has...\nAnswer: Two", "ok", 1.0, "Two", 1.0),
        ("answer :  2 cats\nAnswer: 9", "ok", 0.6667, "2 cats", 0.0),  # the first line counts
        ("two", "no_answer", 1.0, "", 1.0),  # as simple-evals does
        ("It is unclear to me.", "no_answer", 0.0, "", 0.0),
        ("", "no_answer", 0.0, "", 0.0),
    ],
)
async def test_grade(
    tmp_path: Path, response: str, status: str, score: float, extracted: str, exact: float
) -> None:
    (question,) = load(tmp_path, [TASK])
    graded = await drop.grade(question, response, Tools())
    assert (graded.status, graded.score, graded.extracted) == (status, score, extracted)
    assert graded.evidence == {"exact_match": exact}


async def test_aggregate(tmp_path: Path) -> None:
    (question,) = load(tmp_path, [TASK])
    said = ["Answer: two", "Answer: 2 cats", "Answer: 5"]
    samples = [sample(question, one, await drop.grade(question, one, Tools())) for one in said]
    assert drop.aggregate(samples) == pytest.approx({"f1": 1.6667 / 3, "exact_match": 1 / 3})
    assert drop.aggregate([]) == {}
