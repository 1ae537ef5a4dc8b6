"""Tables in every form they are read in."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from evals.benchmark import BenchmarkError
from evals.statistics import Estimate
from evals.summary import Headline, Shares, Summary, Tokens
from evals.tables import FURTHER, Grid, interval, leaderboard, number, summaries, with_error

GRID = Grid(("name", "a | b"), (("x_1 & <b>", "50% ± 2"), ("y", "–")), ("note: 1 < 2",))


def summary(name: str = "aime24", model: str = "org/model_1") -> Summary:
    figures = {
        "pass@1": Estimate(0.7983, 0.061, 0.673, 0.924),
        "rating": Estimate(2029.0, 30.5, 1968.5, 2089.5),
    }
    return Summary(
        benchmark=name, title="AIME 2024", source="MAA", model=model, protocol={"name": "r1", "temperature": 0.6},
        questions=30, k=64, headline=Headline(0.7983, 0.061, 0.673, 0.924, name="pass@1"), metrics=figures,
        pass_at_k={1: 0.7983, 64: 0.9}, cons_at_k={1: 0.7983, 64: 0.8667}, ties=1, undecided=0,
        shares=Shares(0.05, 0.01, 0.04, 0.0, 0.02), bounds=(0.78, 0.81), slices={},
        tokens=Tokens(1, 2), cost=0.0, seconds=1.0, notes=("one is missing",),
    )  # fmt: skip


def test_markdown() -> None:
    assert GRID.markdown() == (
        "| name | a \\| b |\n| --- | ---: |\n| x_1 & &lt;b> | 50% ± 2 |\n| y | – |\n\nnote: 1 &lt; 2\n"
    )


def test_latex() -> None:
    assert GRID.latex() == (
        "\\begin{tabular}{lr}\n\\toprule\nname & a | b \\\\\n\\midrule\n"
        "x\\_1 \\& <b> & 50\\% $\\pm$ 2 \\\\\ny & -- \\\\\n\\bottomrule\n\\end{tabular}\n% note: 1 < 2\n"
    )
    hostile = Grid(("a",), (("\\input{/etc/passwd}",),)).latex()
    assert "\\textbackslash{}input\\{/etc/passwd\\}" in hostile


def test_summaries() -> None:
    grid = summaries([summary()])
    assert grid.rows == (
        ("AIME 2024", "30 x 64", "pass@1", "79.8 ± 6.1", "[67.3, 92.4]", "78.0–81.0",
         "truncated 5.0, api error 1.0, no answer 4.0, missing 2.0"),
        ("", "", "rating", "2029.0 ± 30.5", "[1968.5, 2089.5]", "", ""),
    )  # fmt: skip
    assert grid.notes == ("AIME 2024: one is missing",)
    assert [row[0] for row in summaries([summary(), summary(model="b")]).rows if row[0]] == [
        "AIME 2024, org/model_1",
        "AIME 2024, b",
    ]


def test_dozens_of_figures_are_cut() -> None:
    many = {f"window {n}": Estimate(0.5) for n in range(30)}
    one = replace(summary(), metrics=summary().metrics | many, shares=Shares(0, 0, 0, 0, 0))
    grid = summaries([one])
    assert len(grid.rows) == 1 + FURTHER
    assert grid.rows[0][-1] == "all graded"
    assert grid.notes[-1] == f"AIME 2024: {31 - FURTHER} more figures are in its summary.json"


def test_figures_that_are_no_shares() -> None:
    rating = summary().metrics["rating"]
    assert (number(2029.0), with_error(rating), interval(rating)) == (
        "2029.0",
        "2029.0 ± 30.5",
        "[1968.5, 2089.5]",
    )
    assert (number(None), with_error(Estimate(0.5)), interval(Estimate(0.5))) == ("–", "50.0", "–")


def test_leaderboard() -> None:
    told = leaderboard([summary(), summary("aime25")])
    assert json.loads(json.dumps(told)) == told
    assert told["model_name"] == "org/model_1"
    assert told["results"]["aime25"] == {
        "alias": "AIME 2024", "pass@1,none": 0.7983, "pass@1_stderr,none": 0.061,
        "rating,none": 2029.0, "rating_stderr,none": 30.5,
    }  # fmt: skip
    assert told["n-samples"]["aime24"] == {"original": 30, "effective": 30}
    assert told["configs"]["aime24"]["repeats"] == 64
    with pytest.raises(BenchmarkError, match="of one model, got a, b"):
        leaderboard([summary(model="a"), summary(model="b")])


def test_names_of_strangers_stay_in_their_cells() -> None:
    name = "m\r\n| x \x1b[31m \u202e \u2028[a](javascript:b) \ud800 \x00"
    one = summary(model=name)
    grid = summaries([replace(one, notes=(f"of {name}",)), summary(model="b")])
    for told in (grid.markdown(), grid.latex()):
        assert not set("\r\x1b\u202e\u2028\ud800\x00") & set(told)
        assert told.count("\n") == len(told.splitlines())
    assert "[a](javascript" not in grid.markdown()
    assert len(grid.markdown().split("\n\n")[0].splitlines()) == 2 + len(grid.rows)
    console = Console(file=io.StringIO(), width=300)
    console.print(grid.rich())
    assert isinstance(console.file, io.StringIO)
    assert not set("\r\x1b\u202e\u2028\ud800\x00") & set(console.file.getvalue())
