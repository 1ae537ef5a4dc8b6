"""Whole runs over a real verification service and a scripted endpoint: nothing lost, nothing done
twice, no wrong answer invented."""

from __future__ import annotations

import asyncio
import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from evals import endpoint, generate
from evals.benchmark import Tools
from evals.data import Data
from evals.endpoint import EndpointModel, EndpointSettings
from evals.generate import BudgetSpent, EndpointGone, Prices
from evals.records import Generation, Score, read
from evals.run import Plan, run
from evals.strategies import named
from evals.strategies.weights import read_given
from tests.evals.support import NAME, adds, data_folder, draw, stream, sums
from tests.verifier.judge.server import ChatServer, Play, Request, error
from verifier.embedded import EmbeddedServer


@pytest.fixture(scope="module")
def service():
    with EmbeddedServer("--log-level", "warning", "--sandbox", "none") as server:
        yield server


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(endpoint, "MOST_PAUSE_S", 0.01)


def go(service, out: Path, url: str | None, **told):
    async def whole():
        settings = EndpointSettings(url or "", NAME, stall_seconds=2, tries=2)
        model = None if url is None else EndpointModel(settings, NAME)
        plan = Plan(out, Data(None), (sums(),), model, Tools(), concurrency=8)
        try:
            return await run(replace(plan, **told), service.address, Console(file=io.StringIO()))
        finally:
            if model is not None:
                await model.close()

    return asyncio.run(whole())


def generations(out: Path) -> list[Generation]:
    return list(read(out / "sums" / "generations.jsonl", Generation))


def scores(out: Path) -> dict[tuple[str, int], float | None]:
    return {(s.question, s.sample): s.score for s in read(out / "sums" / "scores.jsonl", Score)}


def test_a_run_asks_grades_and_sums_up_and_again_does_nothing(service, tmp_path):
    with ChatServer(adds) as server:
        (first,) = go(service, tmp_path, server.url)
        assert len(server.requests) == 24
        (second,) = go(service, tmp_path, server.url)
        assert len(server.requests) == 24
    assert first == second
    found = scores(tmp_path)
    assert len(found) == 24
    for made in generations(tmp_path):
        n = int(made.question.split("-")[1])
        assert found[made.question, made.sample] == float(f"{{{2 * n}}}" in made.response)
    assert first.headline.value == pytest.approx(sum(found.values()) / 24)
    cut = sum(made.finish == "length" for made in generations(tmp_path))
    assert first.shares.truncated == pytest.approx(cut / 24)
    assert cut > 0
    assert json.loads((tmp_path / "run.json").read_text())["model"] == NAME


def test_more_samples_ask_only_for_those(service, tmp_path):
    with ChatServer(adds) as server:
        go(service, tmp_path, server.url, overrides={"k": 2})
        go(service, tmp_path, server.url, overrides={"k": 3})
    assert len(server.requests) == 18


def test_other_parameters_ask_anew_and_stand_beside(service, tmp_path):
    with ChatServer(adds) as server:
        go(service, tmp_path, server.url, overrides={"k": 1})
        go(service, tmp_path, server.url, overrides={"k": 1, "temperature": 0.1})
    assert len(server.requests) == 12
    assert len({made.params_hash for made in generations(tmp_path)}) == 2


def test_errors_are_shares_and_bounds_and_never_wrong_answers(service, tmp_path):
    def flaky(request: Request) -> Play:
        return error(500) if draw(request) > 0.7 else adds(request)

    with ChatServer(flaky) as server:
        (summary,) = go(service, tmp_path, server.url)
    failed = [made for made in generations(tmp_path) if made.finish == "error"]
    assert failed
    assert all("500" in made.error and not made.response for made in failed)
    assert summary.shares.api_error == pytest.approx(len(failed) / 24)
    found = scores(tmp_path)
    assert len(found) == 24 - len(failed)
    assert set(found.values()) == {1.0}  # what `adds` gets wrong or cuts off is an error here
    low, high = summary.bounds
    assert low == pytest.approx((24 - len(failed)) / 24)
    assert high == pytest.approx(1)
    with ChatServer(adds) as server:
        (summary,) = go(service, tmp_path, server.url)
    assert len(server.requests) == len(failed)
    assert summary.shares.api_error == 0


def test_an_endpoint_that_is_gone_ends_the_run_and_the_next_one_goes_on(
    service, tmp_path, monkeypatch
):
    monkeypatch.setattr(generate, "GIVE_UP_AFTER", 3)

    def dies(request: Request) -> Play:
        return adds(request) if request.number < 9 else error(503, "gone")

    with ChatServer(dies) as server, pytest.raises(EndpointGone, match=r"3 samples in a row.*gone"):
        go(service, tmp_path, server.url, concurrency=2)
    good = [made for made in generations(tmp_path) if made.finish != "error"]
    assert len(good) == 9
    assert len(scores(tmp_path)) == 9  # what had come was graded
    with ChatServer(adds) as server:
        (summary,) = go(service, tmp_path, server.url)
    assert len(server.requests) == 15
    assert summary.shares.missing == summary.shares.api_error == 0


def test_a_budget_ends_the_run_and_is_not_passed_by_more_than_what_was_under_way(service, tmp_path):
    # 5 prompt and 7 completion tokens for each: 0.012 at these prices.
    prices = Prices(1000.0, 1000.0, 0.1)
    with ChatServer(adds) as server, pytest.raises(BudgetSpent, match=r"--max-cost: 0\.1"):
        go(service, tmp_path, server.url, prices=prices, concurrency=2)
    spent = sum(made.cost for made in generations(tmp_path))
    assert 0.1 <= spent <= 0.1 + 2 * 0.012
    with ChatServer(adds) as server, pytest.raises(BudgetSpent):
        go(service, tmp_path, server.url, prices=prices)
    assert server.requests == []


def test_scoring_anew_needs_no_model_and_changes_nothing(service, tmp_path):
    with ChatServer(adds) as server:
        (first,) = go(service, tmp_path, server.url)
    path = tmp_path / "sums" / "scores.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:10]))
    (again,) = go(service, tmp_path, None)
    assert again == first
    assert len(path.read_text().splitlines()) == 24


def test_strategies_are_summed_up_beside_and_weights_can_be_given(service, tmp_path):
    with ChatServer(adds) as server:
        go(service, tmp_path / "out", server.url)
    made = generations(tmp_path / "out")
    right = {
        (g.question, g.sample): f"{{{2 * int(g.question.split('-')[1])}}}" in g.response
        for g in made
    }
    weights = tmp_path / "weights.jsonl"
    weights.write_text(
        "".join(
            json.dumps({"benchmark": "sums", "question": q, "sample": n, "weight": float(good)})
            + "\n"
            for (q, n), good in right.items()
        )
    )
    told = {"strategies": (named("self_consistency"), named("best_of_n:given"))}
    (summary,) = go(service, tmp_path / "out", None, given=read_given(weights), **told)
    questions = {q for q, _ in right}
    solved = sum(any(right[q, n] for n in range(4)) for q in questions) / len(questions)
    assert summary.metrics["best_of_n:given"].value == pytest.approx(solved)
    assert summary.metrics["self_consistency"].value == pytest.approx(summary.cons_at_k[4])


def command(out: Path, data: Path, url: str, verifier: str) -> list[str]:
    return [
        *(sys.executable, "-m", "evals.cli", "run", "--model", url, "--model-name", NAME),
        *("--benchmarks", "aime24", "--k", "8", "--out", str(out), "--data", str(data)),
        *("--verifier", verifier, "--concurrency", "4"),
    ]


def table_of(out: Path) -> list[tuple[str, int, str, float | None]]:
    made = {
        (g.question, g.sample): g.response
        for g in read(out / "aime24" / "generations.jsonl", Generation)
    }
    found = {(s.question, s.sample): s.score for s in read(out / "aime24" / "scores.jsonl", Score)}
    assert made.keys() == found.keys()
    return sorted((*key, made[key], found[key]) for key in made)


def test_killed_at_random_and_resumed_it_comes_to_the_same(service, tmp_path):
    data = data_folder(tmp_path / "data", 12)

    def slow(request: Request) -> Play:
        return replace(adds(request), wait_s=0.05)

    with ChatServer(slow) as server:
        whole = command(tmp_path / "whole", data, server.url, service.address)
        done = subprocess.run(whole, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert len(server.requests) == 96
    draws = random.Random(5)
    with ChatServer(slow) as server:
        killed = command(tmp_path / "killed", data, server.url, service.address)
        path = tmp_path / "killed" / "aime24" / "generations.jsonl"
        for part in (15, 40, 70):
            process = subprocess.Popen(killed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 120
            while (
                not path.is_file() or path.read_bytes().count(b"\n") < part
            ) and process.poll() is None:
                assert time.monotonic() < deadline
                time.sleep(0.005)
            time.sleep(draws.random() * 0.05)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        before = path.read_bytes().count(b"\n")
        done = subprocess.run(killed, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        # At each kill at most four samples were under way and are asked for again.
        assert 96 <= len(server.requests) <= 96 + 3 * 4
        assert before < 96
    assert table_of(tmp_path / "killed") == table_of(tmp_path / "whole")
    lines = path.read_text().splitlines()
    assert len(lines) == 96  # no sample is there twice
    assert (
        done.stdout.splitlines()[-1]
        == (
            subprocess.run(whole, capture_output=True, text=True, timeout=120).stdout.splitlines()[
                -1
            ]
        )
    )


def test_too_many_samples_without_a_score_are_a_status(service, tmp_path):
    def flaky(request: Request) -> Play:
        return error(400, "no") if draw(request) > 0.9 else stream("\\boxed{0}")

    with ChatServer(flaky) as server:
        told = command(
            tmp_path / "out", data_folder(tmp_path / "data"), server.url, service.address
        )
        done = subprocess.run(told, capture_output=True, text=True, timeout=120)
        assert done.returncode == 1
        assert re.search(r"have no score, --max-failed is 1\.00%", done.stderr)
        done = subprocess.run(
            [*told, "--max-failed", "0.5"], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--benchmarks", "aime23"], r"--benchmarks: one of .*aime24.*got 'aime23'"),
        (["--model", "/nowhere"], "--model: a URL or a model's directory, got '/nowhere'"),
        (["--data", "/nowhere"], "--data: /nowhere is no directory"),
        (["--protocol", "mine"], "--protocol: aime24 has r1, got 'mine'"),
        (["--extra-body", "[1]"], r"--extra-body: a JSON object, got '\[1\]'"),
        (["--max-cost", "1"], "--max-cost: needs --price-prompt and --price-completion"),
        (["--model", "http://127.0.0.1:9/v1", "--model-name", ""], "--model http://127.0.0.1:9/v1: .*onnection"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_said(service, tmp_path, arguments, message):
    told = command(
        tmp_path / "out", data_folder(tmp_path / "data"), "http://127.0.0.1:9/v1", service.address
    )
    done = subprocess.run([*told, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert re.search(message, " ".join(done.stderr.split()))
    assert "Traceback" not in done.stderr
