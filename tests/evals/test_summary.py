"""Summaries of directories as runs leave them, whole and broken."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from rich.console import Console

from evals.benchmark import Question, Sample
from evals.records import Generation, RecordError, Records, Score
from evals.statistics import estimate
from evals.strategies import BestOfN, StrategyError, Vote
from evals.summary import (
    Summary,
    failed_share,
    read_questions,
    read_summaries,
    read_summary,
    summarize,
    table,
)
from tests.evals.rundir import (
    API_ERROR,
    BLANK,
    CUT,
    GRADER_ERROR,
    OTHER,
    RIGHT,
    UNGRADED,
    WRONG,
    Got,
    benchmark,
    question,
    records,
    write,
)
from verifier.client import AsyncVerifierClient

Rows = Sequence[tuple[Question, Sequence[Got]]]


@pytest.fixture
async def client() -> AsyncIterator[AsyncVerifierClient]:
    """Of no server: letters need none."""
    async with AsyncVerifierClient("127.0.0.1:1") as client:
        yield client


async def summary(
    out: Path,
    rows: Rows,
    k: int,
    client: AsyncVerifierClient,
    *,
    about: Mapping[str, Any] | None = None,
    **rest: Any,
) -> Summary:
    protocol, params = write(out, rows, k)
    questions = [one for one, _ in rows]
    told = benchmark(questions, k, **(about or {}))
    return await summarize(out / "b", told, "m", protocol, params, client, questions, **rest)


async def test_figures(tmp_path: Path, client: AsyncVerifierClient) -> None:
    rows = [
        (question("q1", slices={"level": "easy"}), [RIGHT, RIGHT, WRONG, RIGHT]),
        (question("q2", slices={"level": "easy"}), [WRONG, WRONG, RIGHT, RIGHT]),
        (question("q3", slices={"level": "hard"}), [WRONG, BLANK, CUT, RIGHT]),
        (question("q4", slices={"level": "hard"}), [BLANK, BLANK, CUT, BLANK]),
    ]
    found = await summary(tmp_path, rows, 4, client)
    means = [0.75, 0.5, 0.25, 0.0]
    assert found.metrics["pass@1"] == estimate(means)
    assert {**asdict(found.headline), "name": ""} == {**asdict(estimate(means)), "name": ""}
    assert found.pass_at_k == {
        1: pytest.approx(0.375),
        2: pytest.approx((1 + 5 / 6 + 0.5 + 0) / 4),
        4: 0.75,
    }
    assert found.cons_at_k[1] == pytest.approx(0.375)
    assert found.cons_at_k[4] == pytest.approx((1 + 0.5 + 0.5 + 0) / 4)
    assert found.ties == 2
    assert found.metrics["cons@4"].value == found.cons_at_k[4]
    assert found.metrics["pass@4"] == estimate([1.0, 1.0, 1.0, 0.0])
    assert found.shares.no_answer == 6 / 16
    assert found.shares.truncated == 2 / 16
    assert found.bounds == (0.375, 0.375)
    assert failed_share(found) == 0
    assert found.notes == ()
    easy = found.slices["level"]["easy"]
    assert (easy.value, easy.questions, easy.se) == (0.625, 2, pytest.approx(0.125))
    assert (found.tokens.prompt, found.tokens.completion) == (160, 80)
    assert (found.cost, found.seconds, found.questions, found.k) == (4.0, 24.0, 4, 4)


async def test_failures_are_never_wrong_answers(
    tmp_path: Path, client: AsyncVerifierClient
) -> None:
    rows = [
        (question("q1"), [RIGHT, API_ERROR, RIGHT, GRADER_ERROR]),
        (question("q2"), [WRONG, RIGHT, UNGRADED]),
        (question("q3"), [API_ERROR] * 4),
    ]
    found = await summary(tmp_path, rows, 4, client)
    assert found.metrics["pass@1"].value == 0.75
    assert found.bounds == (3 / 12, 11 / 12)
    assert found.shares.api_error == 5 / 12
    assert found.shares.grader_error == 1 / 12
    assert found.shares.missing == 2 / 12
    assert failed_share(found) == 8 / 12
    assert list(found.pass_at_k) == list(found.cons_at_k) == [1, 2]
    assert found.notes == (
        "1 of 3 questions have no score: q3",
        "no pass@k and cons@k for k = 4: question q1 has 2 graded samples",
    )


async def test_nothing_at_all(tmp_path: Path, client: AsyncVerifierClient) -> None:
    found = await summary(
        tmp_path, [(question("q1"), [API_ERROR]), (question("q2"), [])], 2, client
    )
    assert found.headline.value is None
    assert found.bounds == (0.0, 1.0)
    assert (found.pass_at_k, found.cons_at_k, found.slices) == ({}, {}, {})
    assert (found.shares.api_error, found.shares.missing) == (0.25, 0.75)
    assert read_summary(tmp_path / "b" / "summary.json").json() == found.json()


async def test_only_the_newest_of_this_run_counts(
    tmp_path: Path, client: AsyncVerifierClient
) -> None:
    asked = question("q1")
    protocol, params = write(tmp_path, [(asked, [API_ERROR, WRONG, RIGHT])], 2)
    with (
        Records(tmp_path / "b" / "generations.jsonl", Generation) as generations,
        Records(tmp_path / "b" / "scores.jsonl", Score) as scores,
    ):
        again, score = records("b", asked, 0, params, RIGHT)
        generations.append(again)
        assert score is not None
        scores.append(score)
        newer, _ = records("b", asked, 1, params, OTHER)  # its score is of another response
        generations.append(newer)
        for other in (question("q9"), asked):
            elsewhere, score = records("b", other, 0, "other parameters", WRONG)
            generations.append(elsewhere)
            assert score is not None
            scores.append(score)
    told = benchmark([asked], 2)
    found = await summarize(tmp_path / "b", told, "m", protocol, params, client, [asked])
    assert found.metrics["pass@1"].value == 1.0
    assert (found.shares.api_error, found.shares.missing) == (0.0, 0.5)
    assert found.bounds == (0.5, 1.0)
    assert found.tokens.prompt == 4 * 10  # the two that were made again are paid for too


async def test_clusters(tmp_path: Path, client: AsyncVerifierClient) -> None:
    rows = [
        (question(f"q{n}", cluster=f"passage {n // 3}"), [RIGHT if n < 6 else WRONG])
        for n in range(12)
    ]
    found = await summary(tmp_path, rows, 1, client)
    assert found.metrics["pass@1"] == estimate([1.0] * 6 + [0.0] * 6, [n // 3 for n in range(12)])
    assert (found.headline.se or 0) > 1.5 * (estimate([1.0] * 6 + [0.0] * 6).se or 0)


async def test_dates_are_told_by_month(tmp_path: Path, client: AsyncVerifierClient) -> None:
    rows = [
        (question("q1", slices={"date": "2024-08-03"}), [RIGHT]),
        (question("q2", slices={"date": "2024-08-30"}), [WRONG]),
        (question("q3", slices={"date": "2025-01-01"}), [WRONG]),
    ]
    found = await summary(tmp_path, rows, 1, client)
    assert {label: one.questions for label, one in found.slices["date"].items()} == {
        "2024-08": 2,
        "2025-01": 1,
    }


async def test_a_benchmarks_own_figures(tmp_path: Path, client: AsyncVerifierClient) -> None:
    """With the jackknife's error, which for a mean is the usual one, and grader errors among what it
    gets."""
    seen: list[Sample] = []

    def aggregate(samples: Sequence[Sample]) -> dict[str, float]:
        seen[:] = seen or samples
        by: dict[str, list[float]] = {}
        for one in samples:
            if one.graded.score is not None:
                by.setdefault(one.question.id, []).append(one.graded.score)
        figures = {"mean": fmean(map(fmean, by.values())), "rating": 1500.0 + 10 * len(by)}
        return figures | ({"rare": 1.0} if "q3" in by else {})

    rows = [
        (question(f"q{n}", data={"n": n}), [RIGHT, WRONG if n % 3 else RIGHT]) for n in range(7)
    ]
    rows.append((question("q7"), [GRADER_ERROR, RIGHT]))
    about = {"aggregate": aggregate, "headline": "mean"}
    found = await summary(tmp_path, rows, 2, client, about=about)
    assert found.headline.name == "mean"
    assert found.headline.value == found.metrics["pass@1"].value
    assert found.headline.se == pytest.approx(found.metrics["pass@1"].se)
    assert found.metrics["rating"].value == 1580.0
    assert found.metrics["rare"] == type(found.metrics["rare"])(1.0)
    assert len(seen) == 16
    assert {one.graded.status for one in seen} == {"ok", "grader_error"}
    assert seen[0].question.data == {"n": 0}
    assert seen[0].response == "sample 0: the answer is A"


async def test_answers_without_equality_have_no_consensus(
    tmp_path: Path, client: AsyncVerifierClient
) -> None:
    unlike = Got(1.0, "an essay", parts=(("reward_model", 0.5),), kind="instructions")
    chosen = [Vote(), BestOfN("reward_model")]
    found = await summary(
        tmp_path, [(question("q"), [unlike, unlike])], 2, client, strategies=chosen
    )
    assert found.cons_at_k == {}
    assert "cons@2" not in found.metrics
    assert found.pass_at_k == {1: 1.0, 2: 1.0}
    assert set(found.metrics) == {"pass@1", "pass@2", "best_of_n:reward_model"}
    assert found.notes == (
        "no self_consistency: of these answers nobody can say that two are equal",
    )


async def test_strategies(tmp_path: Path, client: AsyncVerifierClient) -> None:
    liked = Got(1.0, "A", parts=(("reward_model", 0.9),))
    plain = Got(0.0, "B", parts=(("reward_model", 0.4),))
    rows = [(question("q1"), [liked, plain, plain]), (question("q2"), [plain, plain, liked])]
    chosen = [Vote(), Vote("reward_model"), BestOfN("reward_model"), BestOfN("given")]
    given = {
        ("b", name, sample): float(sample == 0) for name in ("q1", "q2") for sample in range(3)
    }
    found = await summary(tmp_path, rows, 3, client, strategies=chosen, given=given)
    assert {
        name: one.value for name, one in found.metrics.items() if name not in ("pass@1", "pass@3")
    } == {
        "cons@3": 0.0,
        "self_consistency": 0.0,
        "weighted_vote:reward_model": 1.0,
        "best_of_n:reward_model": 1.0,
        "best_of_n:given": 0.5,
    }
    with pytest.raises(
        StrategyError,
        match=r"best_of_n:judge: q1, sample 0 has no weight 'judge'; it has reward_model",
    ):
        await summary(tmp_path / "again", rows, 3, client, strategies=[BestOfN("judge")])


async def test_the_file(tmp_path: Path, client: AsyncVerifierClient) -> None:
    rows = [
        (question("q1", slices={"level": "5", "date": "2024-08-03"}), [RIGHT, WRONG]),
        (question("q2"), [RIGHT, RIGHT]),
    ]
    found = await summary(tmp_path, rows, 2, client)
    row = json.loads((tmp_path / "b" / "summary.json").read_text())
    assert set(row) >= {
        "benchmark", "title", "source", "model", "protocol", "questions", "k", "headline", "metrics", "pass_at_k",
        "cons_at_k", "ties", "shares", "bounds", "slices", "tokens", "cost", "seconds",
    }  # fmt: skip
    assert set(row["headline"]) == {"name", "value", "se", "low", "high"}
    assert set(row["shares"]) == {"truncated", "api_error", "no_answer", "grader_error", "missing"}
    assert row["pass_at_k"] == {"1": 0.75, "2": 1.0}
    assert row["slices"]["level"]["5"] == {"value": 0.5, "se": None, "questions": 1}
    (read,) = read_summaries(tmp_path)
    assert read.json() == found.json()
    (tmp_path / "b" / "summary.json").write_text("{}")
    with pytest.raises(RecordError, match=r"summary\.json: not a summary: KeyError\('headline'\)"):
        read_summaries(tmp_path)


async def test_questions_are_read_back(tmp_path: Path) -> None:
    told = question("q\u2028", slices={"level": "1"}, cluster="c")
    write(tmp_path, [(told, [])], 1)
    assert read_questions(tmp_path / "b" / "questions.jsonl") == [told]


async def test_the_terminal_table(tmp_path: Path, client: AsyncVerifierClient) -> None:
    rows = [(question("q1"), [RIGHT, API_ERROR]), (question("q2"), [WRONG, CUT])]
    found = await summary(tmp_path, rows, 2, client)
    console = Console(file=io.StringIO(), width=200)
    console.print(table([found]))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    for told in (
        "pass@1",
        "50.0 ± 50.0",
        "[9.5, 90.5]",
        "25.0–50.0",
        "no pass@k and cons@k for k = 2: question q1",
    ):
        assert told in text


async def test_what_the_endpoint_said_is_told(tmp_path: Path, client: AsyncVerifierClient) -> None:
    protocol, params = write(tmp_path, [(question("q1"), [RIGHT, API_ERROR, API_ERROR])], 3)
    path = tmp_path / "b" / "generations.jsonl"
    path.write_text(path.read_text().replace('"error": ""', '"error": "status 400: too long"'))
    asked = [question("q1")]
    found = await summarize(
        tmp_path / "b", benchmark(asked, 3), "m", protocol, params, client, asked
    )
    assert found.notes[-1] == "2 API errors, 2 of them: status 400: too long"
