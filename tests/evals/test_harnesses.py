"""Other people's harnesses, each played by a program that speaks its arguments and files."""

from __future__ import annotations

import asyncio
import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from evals import harnesses
from evals.benchmark import BenchmarkError, Done, Endpoint, Protocol, Question, Sample, Tools
from evals.benchmarks import aider, named, swebench
from evals.data import Data, DataMissing
from evals.generate import Job, jobs
from evals.records import Generation, Key, Records

STANDINS = Path(__file__).parent / "standins"
PATCH = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-1\n+2\n"


async def test_what_a_harness_started_ends_with_it(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    command = ["sh", "-c", f"sleep 300 & echo $! > {pid}; echo begun; wait"]
    with pytest.raises(harnesses.HarnessFailed, match=r"at most 1 s(.|\n)*begun"):
        await harnesses.run(command, tmp_path, {}, 1)
    await _gone(int(pid.read_text()))


async def test_a_harness_is_ended_when_nobody_waits_for_it(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    command = ["sh", "-c", f"sleep 300 & echo $! > {pid}; wait"]
    running = asyncio.create_task(harnesses.run(command, tmp_path, {}, 300))
    while not pid.is_file() or not pid.read_text().strip():
        await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await _gone(int(pid.read_text()))


async def test_status_variables_and_last_words(tmp_path: Path) -> None:
    command = ["sh", "-c", "yes long | head -n 100000; echo $GREETING; pwd >&2; exit 3"]
    finished = await harnesses.run(command, tmp_path, {"GREETING": "good day"}, 60)
    assert finished.status == 3
    assert finished.told.endswith(f"good day\n{tmp_path}\n")
    assert len(finished.told) == harnesses.TOLD_CHARS


async def _gone(pid: int) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
            # Killed, but nobody has taken note: the container has no init.
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except (ProcessLookupError, FileNotFoundError):
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"process {pid} is still there")


# SWE-bench


@pytest.fixture
def issues(tmp_path: Path) -> Data:
    rows = [
        {
            "instance_id": "own__repo-1",
            "repo": "own/repo",
            "problem_statement": "It is 1 and should be 2.",
            "patch": PATCH,
            "difficulty": "<15 min fix",
        }
    ]
    path = tmp_path / "swebench" / "verified.jsonl"
    path.parent.mkdir()
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Data(tmp_path, hub=False)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(STANDINS))
    monkeypatch.setenv("PYTHONPATH", str(STANDINS))


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("response", "status", "score", "outcome"),
    [
        (f"So:\n<patch>{PATCH}</patch>", "ok", 1.0, "resolved"),
        (f"```python\nx\n```\n```diff\n{PATCH}```", "ok", 1.0, "resolved"),
        (PATCH, "ok", 1.0, "resolved"),
        (PATCH + "</s> and so on", "ok", 1.0, "resolved"),
        (f"<diff>{PATCH.replace('+2', '+3')}</diff>", "ok", 0.0, "unresolved"),
        ("<patch>misplaced</patch>", "ok", 0.0, "patch does not apply"),
        ("<patch> \n</patch>", "no_answer", 0.0, None),
        ("<patch>slow</patch>", "grader_error", None, "error"),
        ("<patch>no engine</patch>", "grader_error", None, None),
    ],
)
async def test_patches_are_graded(
    issues: Data, response: str, status: str, score: float | None, outcome: str | None
) -> None:
    (question,) = swebench.load(issues)
    graded = await swebench.grade(question, response, Tools())
    assert (graded.status, graded.score) == (status, score)
    assert graded.evidence.get("outcome") == outcome


@pytest.mark.usefixtures("installed")
async def test_failures_of_the_harness_are_told(issues: Data) -> None:
    (question,) = swebench.load(issues)
    slow = await swebench.grade(question, "<patch>slow</patch>", Tools())
    assert "timed out after 1800" in slow.evidence["message"]
    lost = await swebench.grade(question, "<patch>no engine</patch>", Tools())
    assert "no report of swebench" in lost.evidence["message"]
    assert "DockerException" in lost.evidence["told"]


@pytest.mark.usefixtures("installed")
async def test_a_harness_that_stalls_is_killed(
    issues: Data, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(swebench, "SECONDS", 3)
    monkeypatch.setenv("STANDIN_PID", str(tmp_path / "pid"))
    (question,) = swebench.load(issues)
    graded = await swebench.grade(question, "<patch>stall</patch>", Tools())
    assert graded.status == "grader_error"
    assert graded.score is None
    await _gone(int((tmp_path / "pid").read_text()))


async def test_without_the_package_it_is_said(
    issues: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (question,) = swebench.load(issues)
    with pytest.raises(BenchmarkError, match='pip install "swebench'):
        await swebench.grade(question, PATCH, Tools())


def test_the_issue_is_asked_with_the_prompt_of_its_row(issues: Data) -> None:
    (question,) = swebench.load(issues)
    assert question.messages[-1].content == "It is 1 and should be 2."
    assert question.slices == {"repo": "own/repo", "difficulty": "<15 min fix"}
    path = issues.folder / "swebench" / "verified.jsonl"  # type: ignore[operator]
    path.write_text(json.dumps(json.loads(path.read_text()) | {"text": "Files and issue"}) + "\n")
    (question,) = swebench.load(issues)
    assert question.messages[-1].content == "Files and issue"


# Aider


@pytest.fixture
def exercises(tmp_path: Path) -> Data:
    for language, name in (
        ("python", "first"),
        ("python", "second"),
        ("go", "never"),
        ("go", "broken"),
    ):
        path = tmp_path / aider.FOLDER / language / aider.PRACTICE / name / ".docs/instructions.md"
        path.parent.mkdir(parents=True)
        path.write_text(f"Do {name}.")
    return Data(tmp_path, hub=False)


@pytest.fixture
def endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    monkeypatch.setenv("AIDER", str(STANDINS / "aider"))
    monkeypatch.setenv("AIDER_DOCKER", "1")
    protocol = Protocol("r1", 0.6, 0.95, 32_768, 2)
    return Endpoint("http://127.0.0.1:1/v1", "small", protocol, tmp_path / "out")


async def test_exercises_are_asked_and_read_back(exercises: Data, endpoint: Endpoint) -> None:
    questions = aider.load(exercises)
    assert [question.id for question in questions] == [
        "go/broken",
        "go/never",
        "python/first",
        "python/second",
    ]
    done = [one async for one in aider.harness(questions, endpoint)]
    samples = await _graded(questions, done)
    scores = {(sample.question.id, sample.sample): sample.graded.score for sample in samples}
    passed = {"go/never": 0.0, "python/first": 1.0, "python/second": 1.0}
    assert scores == {(name, n): score for name, score in passed.items() for n in (0, 1)}
    broken = [one for one in done if one.question == "go/broken"]
    assert [(one.response, one.error) for one in broken] == [("", "the endpoint is gone")] * 2
    first = next(one for one in done if one.question == "python/first")
    assert (first.cost, first.seconds) == (0.25, 3.5)
    assert first.response.startswith("#### do first\n\nResults of the harness: {")
    assert aider.aggregate(samples) == pytest.approx(
        {"pass_rate_1": 1 / 3, "pass_rate_2": 2 / 3, "well formed": 2 / 3}
    )


async def test_generations_of_a_harness_are_records(
    exercises: Data, endpoint: Endpoint, tmp_path: Path
) -> None:
    benchmark, questions = named("aider_polyglot"), aider.load(exercises)
    wanted = list(jobs(benchmark, questions, endpoint.protocol, "p"))
    seen: list[str] = []

    async def ask(missing: list[Job]) -> dict[Key, Generation]:
        with Records(tmp_path / "generations.jsonl", Generation) as records:
            await harnesses.ask(
                benchmark,
                questions,
                endpoint,
                missing,
                records,
                lambda job, g: seen.append(g.finish),
            )
            return records.newest()

    first = await ask(wanted)
    assert len(first) == 8
    failed = [job for job in wanted if first[job.key].finish == "error"]
    assert {job.key.question for job in failed} == {"go/broken"}
    again = await ask(failed)
    assert all(one.finish == "stop" for one in again.values())
    assert (len(seen), seen.count("error")) == (10, 2)
    await ask([])
    assert len(seen) == 10


async def test_a_second_run_asks_only_what_is_missing(exercises: Data, endpoint: Endpoint) -> None:
    questions = aider.load(exercises)
    endpoint = replace(endpoint, protocol=replace(endpoint.protocol, k=1))
    async for _ in aider.harness(questions, endpoint):
        pass
    done = [one async for one in aider.harness(questions, endpoint)]
    assert not any(one.error for one in done)
    asked = (endpoint.folder / "sample-0" / "asked").read_text().split()
    assert asked == ["broken", "never", "first", "second", "broken"]


async def test_only_the_chosen_exercises_are_asked(exercises: Data, endpoint: Endpoint) -> None:
    done = [one async for one in aider.harness(aider.load(exercises)[2:3], endpoint)]
    assert [one.question for one in done] == ["python/first"] * 2
    assert (endpoint.folder / "sample-1" / "asked").read_text().split() == ["first"]


async def test_what_the_harness_needs_is_said(
    exercises: Data, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    questions = aider.load(exercises)
    monkeypatch.delenv("AIDER_DOCKER")
    with pytest.raises(BenchmarkError, match="Docker image"):
        await anext(aider.harness(questions, endpoint))
    monkeypatch.delenv("AIDER")
    with pytest.raises(BenchmarkError, match="AIDER must name a checkout"):
        await anext(aider.harness(questions, endpoint))
    with pytest.raises(DataMissing, match="polyglot-benchmark on GitHub"):
        aider.load(Data(tmp_path / "nowhere", hub=False))


async def test_a_harness_that_fails_gives_no_scores(
    exercises: Data, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIDER_PYTHON", "/bin/false")
    with pytest.raises(harnesses.HarnessFailed, match="status 1"):
        await anext(aider.harness(aider.load(exercises), endpoint))


async def _graded(questions: list[Question], done: list[Done]) -> list[Sample]:
    by_id = {question.id: question for question in questions}
    return [
        Sample(
            question, one.sample, one.response, await aider.grade(question, one.response, Tools())
        )
        for one in done
        if not one.error
        for question in [by_id[one.question]]
    ]


@pytest.mark.parametrize("response", ["", "text", "Results of the harness: {}", aider.MARK + "[1]"])
async def test_a_response_without_results_is_not_graded(response: str) -> None:
    graded = await aider.grade(Question("go/x", ()), response, Tools())
    assert (graded.status, graded.score) == ("grader_error", None)


def test_no_results_are_no_figures() -> None:
    assert aider.aggregate([]) == {}
    assert aider.result("go/x", 0, Path("/nowhere")).error.startswith(".aider.results.json: ")


def test_both_are_known_by_name() -> None:
    assert named("swebench_verified").grade is swebench.grade
    assert named("aider_polyglot").harness is aider.harness
