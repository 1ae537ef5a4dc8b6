"""Two runs' directories, question by question."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from evals.benchmark import Question, user
from evals.compare import CompareError, compare_runs, table
from evals.records import RecordError
from evals.statistics import compare
from tests.evals.rundir import API_ERROR, RIGHT, WRONG, Got, question, write


def samples(*right: int) -> list[list[Got]]:
    """Four of each question, of which so many are right."""
    return [[RIGHT] * count + [WRONG] * (4 - count) for count in right]


def test_paired_by_question_whatever_the_order(tmp_path: Path) -> None:
    names = [question(f"q{n}", slices={"level": "easy" if n < 3 else "hard"}) for n in range(5)]
    write(tmp_path / "a", list(zip(names, samples(4, 3, 2, 1, 0), strict=True)), 4)
    write(
        tmp_path / "z",
        list(zip(reversed(names), samples(0, 1, 1, 2, 4), strict=True)),
        4,
        model="z",
    )
    (found,) = compare_runs(tmp_path / "a", tmp_path / "z")
    assert found.overall == compare([1.0, 0.75, 0.5, 0.25, 0.0], [1.0, 0.5, 0.25, 0.25, 0.0])
    assert found.names == ("m", "z")
    assert found.samples == (4, 4)
    assert found.slices["level"]["hard"] == compare([0.25, 0.0], [0.25, 0.0])
    assert found.slices["level"]["easy"].questions == 3
    assert (found.only, found.other_prompts, found.protocols) == (((), ()), (), {})
    assert found.variances is not None
    assert found.variances.within_a > 0


def test_what_differs_is_named(tmp_path: Path) -> None:
    left = [question(f"q{n}") for n in range(8)]
    right = [*left[:2], Question("q2", user("What is q2, please?"), gold="A"), question("q9")]
    write(tmp_path / "a", [(one, [RIGHT, RIGHT]) for one in left], 2)
    rows = [(one, [RIGHT, WRONG]) for one in right[:3]] + [(right[3], [RIGHT])]
    rows[1] = (rows[1][0], [API_ERROR, API_ERROR])
    write(tmp_path / "b", rows, 2, temperature=1.0)
    (found,) = compare_runs(tmp_path / "a", tmp_path / "b")
    assert found.overall.questions == 2
    assert found.only == (("q1", "q3", "q4", "q5", "q6", "q7"), ("q9",))
    assert found.other_prompts == ("q2",)
    assert found.protocols == {"temperature": (0.6, 1.0)}
    assert found.names[0] != found.names[1]
    assert str(tmp_path / "b") in found.names[1]
    notes = table([found]).notes
    assert (
        f"b: left out, m ({tmp_path / 'a'}) alone has scores of 6 questions (q1, q3, q4, q5, q6, ...)"
        in notes
    )
    assert "b: asked in different words: 1 questions (q2)" in notes
    assert "b: temperature differs: 0.6 and 1.0" in notes


def test_tables(tmp_path: Path) -> None:
    names = [question(f"q{n}", slices={"level": "x"}) for n in range(40)]
    write(
        tmp_path / "a",
        [(one, [RIGHT if n < 30 else WRONG]) for n, one in enumerate(names)],
        1,
        model="one",
    )
    write(
        tmp_path / "b",
        [(one, [RIGHT if n < 20 else WRONG]) for n, one in enumerate(names)],
        1,
        model="two",
    )
    grid = table(compare_runs(tmp_path / "a", tmp_path / "b"))
    assert grid.rows[0] == (
        "b", "40", "75.0", "50.0", "+25.0 ± 6.9", "[+11.4, +38.6]", "<.001", ".018", ".002", "19.4",
    )  # fmt: skip
    assert grid.rows[1][:2] == ("  level: x", "40")
    assert grid.markdown().splitlines()[0] == (
        "| benchmark | questions | one | two | difference | 95 % | p | unpaired p | McNemar p | detectable |"
    )
    console = Console(file=io.StringIO(), width=160)
    console.print(grid.rich())
    assert isinstance(console.file, io.StringIO)
    assert "+25.0 ± 6.9" in console.file.getvalue()


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    write(tmp_path / "a", [(question("q1"), [RIGHT])], 1)
    write(tmp_path / "b", [(question("q2"), [RIGHT])], 1)
    write(tmp_path / "c", [(question("q1"), [RIGHT])], 1, name="other")
    with pytest.raises(CompareError, match="b: no question has scores in both runs"):
        compare_runs(tmp_path / "a", tmp_path / "b")
    with pytest.raises(CompareError, match=r"no benchmark in both: .*a has b, .*c has other"):
        compare_runs(tmp_path / "a", tmp_path / "c")
    with pytest.raises(FileNotFoundError, match=r"run\.json"):
        compare_runs(tmp_path / "a", tmp_path)
    (tmp_path / "c" / "run.json").write_text(json.dumps({"model": "m", "benchmarks": {"b": {}}}))
    with pytest.raises(
        RecordError, match=r"run\.json: no manifest of a run: KeyError\('protocol'\)"
    ):
        compare_runs(tmp_path / "a", tmp_path / "c")


def test_other_graders_are_named(tmp_path: Path) -> None:
    rows = [(question("q1"), [RIGHT]), (question("q2"), [WRONG])]
    write(tmp_path / "a", rows, 1)
    write(tmp_path / "z", rows, 1, model="z")
    assert table(compare_runs(tmp_path / "a", tmp_path / "z")).notes == ()
    path = tmp_path / "z" / "b" / "scores.jsonl"
    path.write_text(path.read_text().replace('"grader": "g"', '"grader": "judged by z"'))
    assert table(compare_runs(tmp_path / "a", tmp_path / "z")).notes == (
        "b: graded by g and by judged by z",
    )
