"""A server's judge and reward model: how they start and end, and whose time they take."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.client import NoSandbox
from tests.verifier.judge.server import ChatServer, Play, always, error, says
from verifier import engine
from verifier.judge import judging
from verifier.judge.settings import SettingsError, checked
from verifier.limits import Limits
from verifier.math import MathVerifier
from verifier.outcome import TaskOutcome
from verifier.v1 import verifier_pb2 as pb

CORRECT = json.dumps({"analysis": "", "correctness": "correct"})


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def at(url: str, **more: Any) -> dict[str, Any]:
    return {"endpoints": [{"url": url, "model": "judge"}], **more}


@pytest.mark.parametrize(
    ("deadline_ms", "status"), [(1_500, pb.Verdict.TIMEOUT), (60_000, pb.Verdict.OK)]
)
async def test_the_judge_gets_what_the_rules_left_of_the_deadline(
    monkeypatch: pytest.MonkeyPatch, deadline_ms: int, status: pb.Verdict.Status.ValueType
) -> None:
    """Rules of half a second, a fifth of it in a queue, which does not count; then a judge that
    takes a second and a half."""

    async def rules(*_: object) -> TaskOutcome:
        await asyncio.sleep(0.5)
        evidence = pb.Evidence(math=pb.MathEvidence())
        undecided = pb.Verdict.UNDECIDED, pb.Part.undecided
        return TaskOutcome(*undecided, evidence=evidence, queued_ms=100)

    monkeypatch.setattr(engine.math, "verify", rules)
    monkeypatch.setattr(engine.math, "verify_at_once", lambda *_: None)
    item = pb.Item(
        response="\\boxed{5}",
        math=pb.MathTask(gold=["4"]),
        inline_recipe=pb.Recipe(
            parts=[pb.RecipePart(name="accuracy")], escalate=pb.Recipe.UNDECIDED
        ),
        deadline_ms=deadline_ms,
    )
    sandbox, math = NoSandbox(), MathVerifier(workers=1, symbolic_timeout_s=1.0, max_queued=1)
    with ChatServer(always(says(CORRECT, wait_s=1.5))) as server:
        asked = await judging.start(checked(at(server.url)))
        told = await sandbox.describe()
        verdict = await engine.Engine(Limits(), math, sandbox, told, 0.0, asked).verify(item)
        await asked.close()
    await math.close()
    assert verdict.status == status
    assert verdict.evidence.judge.rules == "UNDECIDED"
    if status == pb.Verdict.TIMEOUT:
        assert 1_400 < verdict.timing.ran_ms < 1_900  # the judge alone would be in time


@pytest.mark.parametrize("first", [error(500), says("Correct, I would say.")])
async def test_the_verdict_names_the_model_that_gave_it(first: Play) -> None:
    task = pb.JudgeTask(mode=pb.JudgeTask.REFERENCE, reference="r")
    item = pb.Item(response="r", judge=task)
    with ChatServer(always(first)) as broken, ChatServer(always(says(CORRECT))) as healthy:
        names = {broken.url: "primary", healthy.url: "standin"}
        given = [{"url": url, "model": model} for url, model in names.items()]
        asked = await judging.start(checked({"endpoints": given}))
        outcome = await asked.verify(item, None, None)
        assert (outcome.score, outcome.judge_model) == (1.0, "standin")
        await asked.close()


async def test_a_verdict_of_two_models_names_both() -> None:
    plays = iter([says(CORRECT)])
    task = pb.JudgeTask(mode=pb.JudgeTask.REFERENCE, reference="r", samples=2)
    with (
        ChatServer(lambda request: next(plays, error(500))) as once,
        ChatServer(always(says(CORRECT))) as healthy,
    ):
        names = {once.url: "primary", healthy.url: "standin"}
        given = [{"url": url, "model": model} for url, model in names.items()]
        asked = await judging.start(checked({"endpoints": given, "concurrency": 1}))
        outcome = await asked.verify(pb.Item(response="r", judge=task), None, None)
        assert (outcome.score, outcome.judge_model) == (1.0, "primary, standin")
        await asked.close()


async def test_unreadable_everywhere_it_names_an_endpoint() -> None:
    task = pb.JudgeTask(mode=pb.JudgeTask.REFERENCE, reference="r")
    with (
        ChatServer(always(says("Correct."))) as one,
        ChatServer(always(says("Well."))) as other,
    ):
        given = [{"url": each.url, "model": "judge"} for each in (one, other)]
        asked = await judging.start(checked({"endpoints": given}))
        outcome = await asked.verify(pb.Item(response="r", judge=task), None, None)
        await asked.close()
    assert (len(one.requests), len(other.requests)) == (2, 2)
    assert outcome.status == pb.Verdict.JUDGE_ERROR
    assert outcome.message.startswith(f"judge {other.url}: garbage, 2 attempts: ")


async def test_a_kept_answer_that_cannot_be_read_does_not_stay() -> None:
    """An endpoint that is mended gives verdicts, whatever it gave before."""
    task = pb.JudgeTask(mode=pb.JudgeTask.REFERENCE, reference="r")
    item, prose = pb.Item(response="r", judge=task), [True]
    with ChatServer(lambda request: says("Correct." if prose else CORRECT)) as server:
        asked = await judging.start(checked(at(server.url)))
        for sent in (2, 4):
            outcome = await asked.verify(item, None, None)
            assert (outcome.status, len(server.requests)) == (pb.Verdict.JUDGE_ERROR, sent)
        prose.clear()
        for _ in range(2):
            outcome = await asked.verify(item, None, None)
            assert (outcome.score, len(server.requests)) == (1.0, 5)
        await asked.close()
    assert outcome.cache_hit


def opened(path: Path) -> bool:
    links = [Path(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
    return any(os.readlink(link) == str(path) for link in links if link.is_symlink())


async def test_all_of_it_starts_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "judge.sqlite"
    given = at("http://127.0.0.1:9/v1", cache={"path": str(path)}, canary_share=1.0)
    asked = await judging.start(checked(given))
    assert opened(path)
    await asked.close()
    assert not opened(path)
    given["reward_models"] = {"safe": {"model": str(tmp_path / "none")}}
    with pytest.raises(SettingsError, match=r"^reward_models\.safe\.model: "):
        await judging.start(checked(given))
    assert not opened(path)


async def test_closing_ends_canaries(tmp_path: Path) -> None:
    plays = iter([says(CORRECT)])
    with ChatServer(lambda request: next(plays, replace(says(CORRECT), silent=True))) as server:
        asked = await judging.start(checked(at(server.url, canary_share=1.0, concurrency=1)))
        task = pb.JudgeTask(mode=pb.JudgeTask.REFERENCE, reference="r")
        outcome = await asked.verify(pb.Item(response="r", judge=task), None, None)
        assert outcome.score == 1.0
        async with asyncio.timeout(60):
            while server.at_once == 0:
                await asyncio.sleep(0.005)
            await asked.close()
            while server.at_once:
                await asyncio.sleep(0.005)


@pytest.mark.parametrize("table", ["endpoints", "reward_models"])
def test_without_the_extra_it_says_what_to_install(tmp_path: Path, table: str) -> None:
    settings = tmp_path / "judge.toml"
    header = "[[endpoints]]" if table == "endpoints" else "[reward_models.safe]"
    settings.write_text(f'{header}\nurl = "http://127.0.0.1:9/v1"\nmodel = "judge"\n')
    program = "import sys; sys.modules['httpx2'] = None; from verifier.cli import main; main()"
    command = [sys.executable, "-c", program, "serve", "--listen", "127.0.0.1:0"]
    done = subprocess.run(
        [*command, "--sandbox", "none", "--judge", str(settings)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = " ".join(done.stderr.split())
    assert done.returncode == 2
    assert 'httpx2 is missing; pip install ".[judge]" from a checkout' in said
    assert "Traceback" not in said
