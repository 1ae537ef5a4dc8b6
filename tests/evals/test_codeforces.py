"""Ratings: the published percentiles, CodeElo's method without its mistakes, whole contests."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from evals.benchmark import BenchmarkError, Graded, Sample
from evals.benchmarks import codeforces
from evals.codeforces import (
    Contest,
    ContestError,
    contest,
    expected_rank,
    percentile,
    rank,
    rating,
)
from evals.data import Data, DataMissing
from tests.evals.grading import grade
from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer

# Percentiles


@pytest.mark.parametrize(
    ("file", "published"),
    [
        # CodeElo, arXiv 2501.01257, table 2: o1-mini and QwQ-32B-Preview.
        ("codeelo_histogram.json", {1578: 89.2, 1261: 63.6}),
        # DeepCoder's model card: o1 and o3-mini at low effort, o1-preview, R1-Distill-Qwen-14B,
        # DeepCoder-1.5B and R1-Distill-Qwen-1.5B; DeepSeek-R1 there.
        (
            "ratings_2024.json",
            {1991: 96.1, 1918: 94.9, 1658: 88.5, 1791: 92.7, 963: 28.5, 615: 1.9, 1948: 95.4},
        ),
    ],
)
def test_published_percentiles(data_dir: Path, file: str, published: dict[int, float]) -> None:
    raw = json.loads((data_dir / "codeforces_rating" / file).read_text())
    histogram = {int(known): count for known, count in raw.items()}
    assert {r: percentile(r, histogram) for r in published} == published


def test_percentiles_count_who_is_below() -> None:
    histogram = {1000: 1, 1200: 2, 1400: 1}
    assert [percentile(r, histogram) for r in (999, 1000, 1000.5, 1200, 1400, 1401)] == [
        0.0,
        0.0,
        25.0,
        25.0,
        75.0,
        100.0,
    ]


# Contests


def answers(
    count: int = 250, *, name: str = "Round 1 (Div. 2)", points: bool = True, **changed: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The API's two answers: better placed participants have higher ratings."""
    rows = [
        {
            "party": {"members": [{"handle": f"u{n}"}], "participantType": "CONTESTANT"},
            "rank": n + 1,
            "points": float(10 * (count - n)) if points else float(3 - 3 * n // count),
            "penalty": 0 if points else n,
        }
        for n in range(count)
    ]
    problems = [
        {"contestId": 1, "index": index} | ({"points": value} if points else {})
        for index, value in (("A", 500.0), ("B", 1000.0), ("C", 1500.0))
    ]
    standings = {
        "status": "OK",
        "result": {"contest": {"id": 1, "name": name}, "problems": problems, "rows": rows},
    }
    changes = {
        "status": "OK",
        "result": [
            {"handle": f"u{n}", "oldRating": 2400 - 8 * n, "newRating": 0} for n in range(count)
        ],
    }
    return standings, changes


@pytest.fixture
def held() -> Contest:
    return contest(*answers())


def test_participants_are_in_both_answers() -> None:
    standings, changes = answers(260)
    del changes["result"][3]  # took part unrated
    del standings["result"]["rows"][7]  # rated, but not among the official rows
    found = contest(standings, changes)
    assert len(found.results) == len(found.ratings) == 258
    assert 2400 - 8 * 3 not in found.ratings
    assert 2400 - 8 * 7 not in found.ratings


def test_contests_that_cannot_rate_are_refused() -> None:
    with pytest.raises(ContestError, match="first division alone"):
        contest(*answers(name="Codeforces Round 9 (Div. 1)"))
    assert contest(*answers(name="Codeforces Round 9 (Div. 1 + Div. 2)")).id == 1
    with pytest.raises(ContestError, match="at least 201 rated participants, got 200"):
        contest(*answers(200))
    failed = {"status": "FAILED", "comment": "contestId: Contest with id 7 not found"}
    with pytest.raises(ContestError, match="Contest with id 7 not found"):
        contest(failed, answers()[1])


@pytest.mark.parametrize(
    ("attempts", "place"),
    [
        # Points 2500, 2490 ... 10 for places 1 to 250; equal ones are behind.
        ({}, 251),
        ({"A": [True]}, 202),  # 500 points: 201 have as many
        ({"A": [False, True]}, 207),  # 450
        ({"A": [False] * 7 + [True]}, 237),  # 150
        ({"A": [False] * 8 + [True]}, 251),  # a ninth attempt does not count
        ({"A": [True, True], "B": [True]}, 102),  # later ones do not count twice
        ({"A": [True], "B": [True], "C": [True]}, 1),
    ],
)
def test_places(held: Contest, attempts: dict[str, list[bool]], place: int) -> None:
    assert rank(held, attempts) == place


def test_points_do_not_fall_below_nothing() -> None:
    standings, changes = answers()
    standings["result"]["problems"][0]["points"] = 100.0
    assert rank(contest(standings, changes), {"A": [False] * 5 + [True]}) == 251


def test_places_by_penalty() -> None:
    held = contest(*answers(points=False))
    # Participants solve 3, 2 and 1 problems; each has a minute more than the one before.
    two = [n for n, (points, _) in enumerate(held.results) if points == 2]
    assert rank(held, {"A": [True], "B": [True]}) == two[0] + 1
    late = {"A": [False] * 7 + [True], "B": [False] * 5 + [True]}  # 120 minutes
    assert rank(held, late) == sum(1 for p, q in held.results if p > 2 or (p == 2 and q <= 120)) + 1


def test_another_contests_problem_is_refused(held: Contest) -> None:
    with pytest.raises(ContestError, match="problems A, B, C, got D"):
        rank(held, {"D": [True]})


def test_ratings_are_the_highest_that_fit() -> None:
    chance = random.Random(5)
    ratings = [chance.choice([0, chance.randrange(400, 3200)]) for _ in range(300)]
    held = Contest(1, "", {}, [], ratings)
    others = [known or 1400 for known in ratings]
    for place in (1, 2, 17, 150, 299, 300, 301):
        fitting = [r for r in range(max(others) + 100) if expected_rank(r, others) >= place]
        assert rating(held, place) == max(fitting, default=0)


def test_a_participants_own_place_gives_its_rating() -> None:
    ratings = [1500] * 400
    assert rating(Contest(1, "", {}, [], ratings), 201) == 1500


def test_newcomers_count_with_the_initial_rating() -> None:
    ratings = [1400] * 150 + [0] * 150
    held = Contest(1, "", {}, [], ratings)
    assert rating(held, 151) == 1400
    # Taken by their word they are no opponents.
    assert rating(held, 151, newcomer=0) < 800


def test_better_places_have_better_ratings(held: Contest) -> None:
    found = [rating(held, place) for place in range(1, 252)]
    assert found == sorted(found, reverse=True)
    assert found[0] == 2400 + 100 - 1
    assert 0 <= found[-1] < 2400 - 8 * 249


# The benchmark


def folder(tmp_path: Path, **changed: Any) -> Data:
    base = {"contest_id": "1", "time_limit": 1.0, "memory_limit": 256.0, "note": None}
    base |= {"description": "<p>Add.</p>", "input_format": "Two numbers.", "output_format": "Sum."}
    base |= {"examples": [{"input": "1 2\n", "output": "3\n"}], "generated_checker": None}
    tests = [{"input": "1 2\n", "output": "3\n"}, {"input": "5 5\n", "output": "10\n"}]
    rows = [
        base | {"index": "A", "title": "Sum & more", "rating": 800, "official_tests": tests},
        base | {"index": "B", "title": "Harder", "rating": 1300, "official_tests": tests} | changed,
    ]
    own = tmp_path / "codeforces"
    (own / "contests").mkdir(parents=True)
    (own / "problems.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name, answer in zip(("standings", "ratingChanges"), answers(), strict=True):
        (own / "contests" / f"1.{name}.json").write_text(json.dumps(answer))
    for file in codeforces.HISTOGRAMS.values():
        (own / file).write_text(json.dumps({"1000": 50, "2000": 50}))
    return Data(tmp_path, hub=False)


def test_problems_are_asked_as_codeelo_does(tmp_path: Path) -> None:
    first, second = codeforces.load(folder(tmp_path))
    assert (first.id, second.id) == ("1A", "1B")
    assert first.messages[0].content == (
        '"You are a coding expert. Given a competition-level coding problem, you need to write a '
        "C++ program to solve it. You may start by outlining your thought process. In the end, "
        "please provide the complete code in a code block enclosed with ``` ```.\n\n"
        "<html><body><h1>Sum &amp; more</h1><div><p>Add.</p></div>"
        "<h2>Input</h2><div>Two numbers.</div><h2>Output</h2><div>Sum.</div>"
        "<h2>Examples</h2><div><p>Input</p><pre>1 2\n</pre><p>Output</p><pre>3\n</pre></div>"
        "</body></html>"
    )
    assert [q.slices["rating"] for q in (first, second)] == ["easy", "hard"]


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"problems\.jsonl.*benchmarks/codeforces\.py says"):
        codeforces.load(Data(tmp_path, hub=False))
    data = folder(tmp_path)
    (tmp_path / "codeforces" / "contests" / "1.ratingChanges.json").unlink()
    with pytest.raises(DataMissing, match=r"contests/1\.ratingChanges\.json"):
        codeforces.load(data)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"generated_checker": "print(1)"}, "1B has several right outputs"),
        ({"interaction_format": "Ask."}, "1B is interactive"),
        ({"index": "Z"}, "1Z is not a problem of contest 1"),
    ],
)
def test_problems_that_cannot_be_judged_are_refused(
    tmp_path: Path, changed: dict[str, Any], why: str
) -> None:
    with pytest.raises(BenchmarkError, match=why):
        codeforces.load(folder(tmp_path, **changed))


RIGHT = "```cpp\n#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b; }\n```"
WRONG = "```cpp\n#include <iostream>\nint main() { std::cout << 3; }\n```"


def test_a_contest_is_rated(tmp_path: Path, server: EmbeddedServer) -> None:
    with VerifierClient(server.address) as client:
        if "cpp" not in {chain.language for chain in client.describe().toolchains}:
            pytest.skip("the server has no C++")
    first, second = codeforces.load(folder(tmp_path))
    (benchmark,) = codeforces.BENCHMARKS
    asked = [(first, WRONG), (first, "no program"), (first, RIGHT), (second, WRONG)]
    samples = grade(server, benchmark, asked)
    assert [sample.graded.score for sample in samples] == [0.0, 0.0, 1.0, 0.0]
    figures = codeforces.aggregate(samples)
    # 500 points less 100: 211 have as many or more.
    held = first.data["contest"]
    assert figures["rating"] == rating(held, 212)
    assert (figures["contests"], figures["contests left out"]) == (1, 0)
    assert figures["percentile"] == 0.0


def test_a_contest_with_a_failed_verdict_is_left_out(tmp_path: Path) -> None:
    first, second = codeforces.load(folder(tmp_path))
    right, failed = Graded("ok", 1.0), Graded("grader_error", None)
    wrong = Graded("ok", 0.0)
    samples = [
        Sample(first, 0, "", right),
        Sample(first, 1, "", failed),  # after an accepted one: it cannot matter
        Sample(second, 1, "", failed),
        Sample(second, 0, "", wrong),
    ]
    assert codeforces.aggregate(samples) == {"contests": 0, "contests left out": 1}
    left_out = codeforces.aggregate(samples)
    assert codeforces.aggregate(samples[:2]) == left_out  # nothing of the second problem
    assert codeforces.aggregate([samples[0], Sample(second, 1, "", right)]) == left_out
    samples[2] = Sample(second, 1, "", right)
    figures = codeforces.aggregate(samples)
    assert figures["rating"] == rating(
        first.data["contest"], rank(first.data["contest"], {"A": [True], "B": [False, True]})
    )
    assert figures["percentile"] == figures["percentile of 2024"]
