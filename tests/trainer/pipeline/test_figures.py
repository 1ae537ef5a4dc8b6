"""Means, their errors, and the stage table, against numbers worked out by hand."""

from __future__ import annotations

import json
import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.pipeline.figures import (
    Estimate,
    Row,
    Sample,
    Table,
    as_json,
    columns,
    estimate,
    from_json,
    markdown,
    markdown_of_seeds,
    row,
    together,
)
from trainer.pipeline.statements import STATEMENTS, check
from trainer.pipeline.statements import markdown as told


def test_a_mean_and_its_clustered_error() -> None:
    # Problems' means 1, 0.5, 0; residuals' sums 1, 0, -1; sqrt(3/2 * 2) / 6.
    found = estimate([("a", 1), ("a", 1), ("b", 1), ("b", 0), ("c", 0), ("c", 0)])
    assert found == Estimate(0.5, pytest.approx(math.sqrt(3) / 6), 3, 6)
    assert estimate([]) is None
    assert estimate([("a", 1), ("a", 0)]) == Estimate(0.5, None, 1, 2)


@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=2, max_size=20))
def test_equal_problems_have_the_error_of_their_means(groups: list[list[float]]) -> None:
    found = estimate((str(n), x) for n, xs in enumerate(groups) for x in xs)
    means = [math.fsum(xs) / 3 for xs in groups]
    assert found is not None
    assert found.mean == pytest.approx(math.fsum(means) / len(means))
    assert found.stderr == pytest.approx(statistics.stdev(means) / math.sqrt(len(means)), abs=1e-12)


def test_means_of_domains_count_alike() -> None:
    many, few = Estimate(0.8, 0.03, 100, 400), Estimate(0.2, 0.04, 10, 10)
    assert together([many, few]) == Estimate(0.5, pytest.approx(0.025), 110, 410)
    assert together([many, None]) is None
    assert together([]) is None
    assert together([many, Estimate(0, None, 1, 1)]) == Estimate(0.4, None, 101, 401)


def sample(
    problem: str, score: float | None, language: float | None = 1.0, **more: float
) -> Sample:
    fields = {"tokens": 10, "cut_off": False, "format": 1.0 if score is not None else None} | more
    return Sample(problem, score=score, language=language if score is not None else None, **fields)  # type: ignore[arg-type]


def test_a_row_by_hand() -> None:
    found = row(
        "Dev1",
        {
            "math": [sample("1", 1), sample("1", 0, language=0.5), sample("2", None, tokens=40)],
            # The same ids are other problems; a thought without words has no language.
            "code": [sample("1", 1, language=None, format=0.0), sample("2", 0, cut_off=True)],
        },
        {"helpful": [sample("1", 0.75), sample("2", None)]},
    )
    math_mean, code_mean = found.domains["math"], found.domains["code"]
    assert math_mean == Estimate(0.5, None, 1, 2)  # the failed one is not wrong
    assert code_mean is not None
    assert code_mean.mean == 0.5
    assert found.reasoning is not None
    assert found.reasoning.mean == 0.5
    assert found.general == Estimate(0.75, None, 1, 1)
    assert found.format is not None
    assert (found.format.mean, found.format.samples) == (0.75, 4)
    assert found.language is not None
    assert (found.language.mean, found.language.samples) == (pytest.approx(2.5 / 3), 3)
    assert found.mixed is not None
    assert found.mixed.mean == pytest.approx(1 / 3)
    assert found.length is not None
    assert (found.length.mean, found.length.problems) == (16.0, 4)
    assert found.cut_off is not None
    assert found.cut_off.mean == pytest.approx(0.2)
    assert found.failed is not None
    assert (found.failed.mean, found.failed.samples) == (pytest.approx(2 / 7), 7)


def one_row(name: str, reasoning: float, language: float = 0.9, general: float = 0.5) -> Row:
    def mean(value: float) -> Estimate:
        return Estimate(value, 0.01, 100, 400)

    nothing = mean(0.0)
    return Row(
        name, {"math": mean(reasoning), "helpful": mean(general)}, mean(reasoning), mean(general),
        mean(1.0), mean(language), nothing, mean(123.4), nothing, nothing,
    )  # fmt: skip


def table(*rows: Row) -> Table:
    return Table(rows, ("math",), ("helpful",), {"samples": 4})


def test_the_table_in_words_and_back() -> None:
    whole = table(one_row("Zero", 0.5), Row("Dev1", {"math": None}, *[None] * 8))
    assert columns(whole) == [
        "math",
        "helpful",
        "format",
        "language",
        "mixed",
        "length",
        "cut_off",
        "failed",
    ]
    lines = markdown(whole).splitlines()
    assert lines[0].startswith("|  | math % | helpful % | format %")
    assert "length, tokens" in lines[0]
    assert "cut off %" in lines[0]
    assert lines[2].startswith("| Zero | 50.0 ± 1.0 | 50.0 ± 1.0 | 100.0 ± 1.0 | 90.0 ± 1.0 |")
    assert " 123 ± 0 " in lines[2]
    assert lines[3].startswith("| Dev1 | - | - |")
    assert len({line.count("|") for line in lines}) == 1
    back = from_json(json.loads(json.dumps(as_json(whole))))
    assert markdown(back) == markdown(whole)
    with pytest.raises(ValueError):
        from_json({"rows": [{"name": 3}]})


def test_seeds_side_by_side() -> None:
    found = markdown_of_seeds(
        [table(one_row("Zero", x), one_row("R1", 1)) for x in (0.25, 0.5, 0.6)]
    )
    assert "| Zero | 45.0 (25.0–60.0) |" in found
    one = table(one_row("Zero", 0.5))
    assert markdown_of_seeds([one]) == markdown(one)
    # A row that not all have is left out.
    assert "R1" not in markdown_of_seeds([table(one_row("Zero", 0.5), one_row("R1", 1)), one])


def paper(**changes: Row) -> Table:
    rows = {
        "Zero": one_row("Zero", 0.779, language=0.7, general=0.5),
        "Dev1": one_row("Dev1", 0.590, language=0.9, general=0.7),
        "Dev2": one_row("Dev2", 0.781, language=0.9, general=0.7),
        "Dev3": one_row("Dev3", 0.755, language=0.95, general=0.75),
        "R1": one_row("R1", 0.798, general=0.92),
        "distilled": one_row("distilled", 0.72),
        "control": one_row("control", 0.47),
    }
    return table(*(rows | changes).values())


def test_what_the_paper_says() -> None:
    assert [one.came_out for one in check([paper()])] == [True] * len(STATEMENTS)
    fallen = paper(Dev3=one_row("Dev3", 0.75, general=0.7))  # by 3.1 points; general as it was
    outcomes = check([paper(), fallen, fallen])
    assert [one.seeds for one in outcomes] == [3, 3, 3, 1, 1, 3, 3]
    # In the mean 78.1 - 75.17 is within three points; 71.7 is above 70.
    assert [one.came_out for one in outcomes] == [True] * len(STATEMENTS)
    assert [one.came_out for one in check([fallen])] == [True, True, True, False, False, True, True]
    assert "| did not | 0 of 1 | 75.0 ≥ 78.1 - 3 |" in told(check([fallen]))
    without = Table([one_row("Zero", 1)], ("math",))
    assert [one.came_out for one in check([without])] == [None] * len(STATEMENTS)
    assert "cannot be told | 0 of 1 | - |" in told(check([without]))
