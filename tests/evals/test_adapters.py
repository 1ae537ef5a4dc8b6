"""Our verifiers inside of the real harnesses, on stored outputs, and what these write read back.

`python -m tests.evals.peers` makes the environments; a test whose harness is not there is skipped.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from evals.adapters import item, outcome
from evals.benchmark import Question, math_question
from evals.importers import imported
from tests.evals.peers import ROOT, installed, run
from verifier.client import Verdict
from verifier.embedded import EmbeddedServer

SHARED = Path(__file__).parents[3] / "shared" / "data"
COUNT = 40


def needs(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        not installed(name), reason=f"no {name}; python -m tests.evals.peers {name}"
    )


@pytest.fixture(scope="module")
def service():
    with EmbeddedServer("--log-level", "warning", "--sandbox", "none") as server:
        yield server


@pytest.fixture(scope="module")
def rows() -> list[dict[str, object]]:
    """Stored responses with their known verdicts, and one that nobody can verify."""
    if SHARED.is_dir():
        questions = [
            json.loads(line)["question"]
            for line in (SHARED / "gsm8k" / "test.jsonl").read_text().splitlines()[:COUNT]
        ]
        with gzip.open(SHARED / "verdicts" / "rho1_math_gsm8k.jsonl.gz", "rt") as file:
            known = {row["id"]: row for row in map(json.loads, file)}
        rows = [
            {"id": f"q{n}", "question": question}
            | {name: row[name] for name in ("gold", "response", "expected")}
            for n, question in enumerate(questions)
            for row in [known[f"rho-rho-math-1b-interpreter-v0.1-gsm8k-{n}"]]
        ]
    else:
        rows = [
            {
                "id": f"q{n}",
                "question": f"How much is {n} and {n}?",
                "gold": str(2 * n),
                "response": f"It is \\boxed{{{2 * n + n % 2}}}.",
                "expected": n % 2 == 0,
            }
            for n in range(COUNT)
        ]
    broken = {
        "id": "broken",
        "question": "What is it?",
        "gold": "\\frac{1",
        "response": "\\boxed{1}",
    }
    return [*rows, broken | {"expected": None}]


def written(rows: list[dict[str, object]], path: Path) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def wanted(rows: list[dict[str, object]]) -> dict[str, float | None]:
    return {
        str(row["id"]): None if row["expected"] is None else float(bool(row["expected"]))
        for row in rows
    }


def questions_of(rows: list[dict[str, object]]) -> list[Question]:
    return [
        math_question(f"own-{row['id']}", str(row["question"]), [str(row["gold"])]) for row in rows
    ]


def test_the_rows_have_both_verdicts(rows):
    assert {row["expected"] for row in rows} == {True, False, None}


@needs("inspect")
def test_inspect_scores_stored_outputs(service, rows, tmp_path):
    path = written(rows, tmp_path / "rows.jsonl")
    told = run(
        "inspect", "tests.evals.peer_inspect", service.address, str(path), str(tmp_path / "logs")
    )
    expected = wanted(rows)
    mean = sum(value or 0.0 for value in expected.values()) / COUNT
    for way in ("task", "scored", "command"):
        assert told[way]["values"] == expected
        assert told[way]["reasons"] == {"broken": "scoring_failed"}
        assert told[way]["accuracy"] == pytest.approx(mean)
        assert (told[way]["scored"], told[way]["unscored"]) == (COUNT, 1)


@needs("lm-eval")
def test_lm_eval_scores_stored_outputs_and_its_samples_are_imported(service, rows, tmp_path):
    path = written(rows, tmp_path / "rows.jsonl")
    told = run(
        "lm-eval", "tests.evals.peer_lm_eval", service.address, str(path), str(tmp_path / "out")
    )
    expected = wanted(rows)
    mean = sum(value or 0.0 for value in expected.values()) / COUNT
    for way, k in (("once", 1), ("twice", 2)):
        assert told[way]["values"] == expected
        results = told[way]["results"]
        assert results["touchstone,all"] == pytest.approx(mean)
        assert results["touchstone_unverified,all"] == pytest.approx(1 / (COUNT + 1))
        found = imported("lm-eval", Path(told[way]["samples"]), "own", questions_of(rows))
        assert [(one.question, one.sample) for one in found] == [
            (f"own-{row['id']}", sample) for row in rows for sample in range(k)
        ]
        assert [one.response for one in found] == [
            row["response"] for row in rows for _ in range(k)
        ]


@needs("lighteval")
def test_lighteval_scores_stored_outputs_and_its_details_are_imported(service, rows, tmp_path):
    path = written(rows, tmp_path / "rows.jsonl")
    told = run(
        "lighteval", "tests.evals.peer_lighteval", service.address, str(path), str(tmp_path / "out")
    )
    by_question = {
        str(row["question"]): value for row, value in zip(rows, wanted(rows).values(), strict=True)
    }
    assert dict(zip(told["queries"], told["values"], strict=True)) == by_question
    mean = sum(value or 0.0 for value in by_question.values()) / COUNT
    assert told["results"]["touchstone"] == pytest.approx(mean)
    found = imported("lighteval", Path(told["details"]), "own", questions_of(rows))
    assert [one.question for one in found] == [f"own-{row['id']}" for row in rows]
    assert [one.response for one in found] == [row["response"] for row in rows]


def test_what_is_not_verified_is_no_score():
    verdict = Verdict(status=Verdict.Status.INVALID, extracted="1")
    verdict.evidence.message = "gold: no"
    found = outcome(verdict)
    assert (found.score, found.answer, found.explanation) == (None, "1", "INVALID: gold: no")
    wrong = outcome(Verdict(status=Verdict.Status.OK, reward=0.0))
    assert wrong.score == 0.0


def test_items_of_adapters():
    made = item("math", "x", ["1", "2"], cut_off=True)
    assert list(made.math.gold) == ["1", "2"]
    assert made.meta["finish"] == "length"
    made = item("choice", "x", ["B"], ["red", "blue"])
    assert (made.choice.gold, list(made.choice.options)) == ("B", ["red", "blue"])
    with pytest.raises(ValueError, match="gold: at least one"):
        item("math", "x", [])
    with pytest.raises(ValueError, match="one letter"):
        item("choice", "x", ["A", "B"])
    with pytest.raises(ValueError, match="kind: math or choice, got 'code'"):
        item("code", "x", ["A"])  # type: ignore[arg-type]


def test_an_embedded_server_ends_with_its_process():
    code = (
        "from evals.adapters import client, item, verify\n"
        "made = [item('math', response, ['2']) for response in (r'\\boxed{2}', r'\\boxed{3}')]\n"
        "print([one.score for one in verify('embedded', made)])\n"
        "assert client('embedded') is client('embedded')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[1.0, 0.0]"
