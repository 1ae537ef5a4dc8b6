"""Whole runs over a real verification service and a scripted endpoint: nothing lost, nothing done
twice, no wrong answer invented."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from evals import endpoint, generate
from evals.benchmark import BenchmarkError, Tools, r1
from evals.cli import app
from evals.data import Data
from evals.endpoint import EndpointModel, EndpointSettings
from evals.generate import BudgetSpent, EndpointGone, Prices
from evals.records import Generation, RecordError, Records, Score, read
from evals.run import Plan, note, run
from evals.strategies import named
from evals.strategies.weights import read_given
from tests.evals.support import NAME, adds, data_folder, draw, stream, sums
from tests.verifier.judge.server import ChatServer, Play, Request, error
from verifier.client import ServiceError
from verifier.embedded import EmbeddedServer


@pytest.fixture(scope="module")
def service():
    with EmbeddedServer("--log-level", "warning", "--sandbox", "none") as server:
        yield server


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(endpoint, "MOST_PAUSE_S", 0.01)


def go(service, out: Path, url: str | None, *, sent=None, **told):
    async def whole():
        settings = EndpointSettings(url or "", NAME, stall_seconds=20, tries=2, **(sent or {}))
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

    with (
        ChatServer(dies) as server,
        pytest.raises(EndpointGone, match=r"[34] samples in a row.*gone"),
    ):
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
        assert re.search(r"has no score, --max-failed is 1\.00%", done.stderr)
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
    done = cli(*told[3:], *arguments)
    assert done.exit_code == 2, done.exception
    assert re.search(message, " ".join(done.stderr.split()))


# ---- what is kept apart, and what is found again ------------------------------------


def noted(out: Path) -> dict:
    return json.loads((out / "run.json").read_text())["benchmarks"]["sums"]


def test_what_is_changed_in_every_request_is_a_parameter(service, tmp_path):
    """Else a run with thinking switched off would show the figures of one with it."""
    body = {"chat_template_kwargs": {"enable_thinking": False}}
    with ChatServer(adds) as server:
        for sent in ({}, {"extra_body": body}, {"omit": frozenset({"top_p"})}):
            go(service, tmp_path, server.url, overrides={"k": 1}, sent=sent)
        assert len(server.requests) == 18
        assert noted(tmp_path)["omit"] == ["top_p"]
        go(service, tmp_path, server.url, overrides={"k": 1}, sent={"extra_body": body})
        assert len(server.requests) == 18
    assert noted(tmp_path)["extra_body"] == body
    assert "omit" not in noted(tmp_path)
    (summary,) = go(service, tmp_path, None, overrides={"k": 1})
    assert summary.shares.missing == 0
    assert noted(tmp_path)["extra_body"] == body


def cli(*arguments: str):
    return CliRunner().invoke(app, arguments)


def test_each_benchmark_is_scored_as_it_was_asked(service, tmp_path):
    """With a seed and a limit of its own."""
    data = data_folder(tmp_path / "data")
    (data / "aime_amc" / "aime25.jsonl").write_bytes(
        (data / "aime_amc" / "aime24.jsonl").read_bytes()
    )
    with ChatServer(adds) as server:
        told = ("--model", server.url, "--model-name", NAME, "--k", "1", "--data", str(data))
        rest = ("--verifier", service.address, "--out", str(tmp_path / "out"))
        cli("run", "--benchmarks", "aime24", "--seed", "3", *told, *rest)
        cli("run", "--benchmarks", "aime25", "--limit", "4", *told, *rest)
        asked = len(server.requests)
    before = [(tmp_path / f"out/{name}/summary.json").read_text() for name in ("aime24", "aime25")]
    found = cli("score", str(tmp_path / "out"), "--data", str(data), "--verifier", service.address)
    assert (found.exit_code, asked) == (0, 12), found.output
    after = [(tmp_path / f"out/{name}/summary.json").read_text() for name in ("aime24", "aime25")]
    assert before == after


def test_a_second_run_at_once_changes_nothing(service, tmp_path):
    with ChatServer(adds) as server:
        go(service, tmp_path, server.url, overrides={"k": 1})
        before = {path: path.read_bytes() for path in tmp_path.rglob("*.json*")}
        with (
            Records(tmp_path / "sums" / "generations.jsonl", Generation),
            pytest.raises(RecordError, match=r"generations\.jsonl: another run is writing to it"),
        ):
            go(service, tmp_path, server.url, overrides={"k": 2, "temperature": 0.0})
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.json*")} == before


def test_benchmarks_that_are_noted_at_once_are_all_noted(tmp_path):
    names = [f"b{n}" for n in range(40)]
    plan = Plan(tmp_path, Data(None), (), None, Tools())

    def one(name: str) -> None:
        note(plan, "m", replace(sums(), name=name), r1(1), name)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, names))
    held = json.loads((tmp_path / "run.json").read_text())["benchmarks"]
    assert sorted(held) == sorted(names)


def test_a_summary_is_never_of_other_parameters_than_the_run(service, tmp_path):
    with ChatServer(adds) as server:
        go(service, tmp_path, server.url)
    held, path = noted(tmp_path), tmp_path / "sums" / "summary.json"
    plan = Plan(tmp_path, Data(None), (), None, Tools())
    note(plan, NAME, sums(), r1(4), held["params_hash"])
    assert path.is_file()
    note(plan, NAME, sums(), replace(r1(4), temperature=1.0), "others")
    assert not path.is_file()


def test_other_runs_directories_are_refused_before_anything_is_written(service, tmp_path):
    with ChatServer(adds) as server:
        go(service, tmp_path, server.url)
        (tmp_path / "run.json").write_text(
            (tmp_path / "run.json").read_text().replace(NAME, "other")
        )
        before = sorted(tmp_path.rglob("*"))
        asked = len(server.requests)
        with pytest.raises(BenchmarkError, match=r"--out: .* has samples of 'other'"):
            go(service, tmp_path, server.url, benchmarks=(replace(sums(), name="more"),))
        assert (sorted(tmp_path.rglob("*")), len(server.requests)) == (before, asked)


@pytest.mark.parametrize("raw", [b"{", b"[]", b"\xff\xfe{", b'{"model": "m"}', b"[" * 99_999])
@pytest.mark.parametrize("command", ["score", "report", "export", "compare", "run"])
def test_a_damaged_manifest_is_named(tmp_path, command, raw):
    out = tmp_path / "out"
    out.mkdir()
    (out / "run.json").write_bytes(raw)
    more = {
        "export": [str(tmp_path / "x.parquet")], "compare": [str(out)],
        "run": ["--model", "http://127.0.0.1:9/v1", "--model-name", NAME, "--benchmarks", "aime24",
                "--data", str(data_folder(tmp_path / "data")), "--out", str(out)],
    }.get(command, [])  # fmt: skip
    served = ["--verifier", "127.0.0.1:9"] if command in ("score", "run") else []
    place = [] if command == "run" else [str(out)]
    found = cli(command, *place, *more, *served)
    assert found.exit_code == 2, found.exception
    assert "run.json: no" in " ".join(found.stderr.split())


def test_a_manifest_of_another_version_is_named(tmp_path):
    protocol = asdict(r1(1)) | {"thoughts": 3}
    told = {"protocol": protocol, "params_hash": "h", "limit": 0}
    (tmp_path / "run.json").write_text(json.dumps({"model": "m", "benchmarks": {"aime24": told}}))
    found = cli("score", str(tmp_path), "--verifier", "127.0.0.1:9")
    assert found.exit_code == 2
    assert "aime24 is not noted as this version does" in " ".join(found.stderr.split())
    assert "thoughts" in found.stderr


# ---- money, refusals, failures of ours ----------------------------------------------


def test_a_budget_is_of_the_whole_directory(service, tmp_path):
    prices = Prices(1000.0, 1000.0, 0.4)  # 33 samples
    both = (sums(), replace(sums(), name="more"))
    with ChatServer(adds) as server, pytest.raises(BudgetSpent, match=r"0\.4\d+ is spent"):
        go(service, tmp_path, server.url, benchmarks=both, prices=prices, concurrency=2)
    assert 34 <= len(server.requests) <= 36


def test_a_budget_that_cannot_be_counted_ends_the_run(service, tmp_path):
    told = [b for b in stream("\\boxed{1}").body.split(b"\n\n") if b'"usage"' not in b]
    blind = Play(b"\n\n".join(told), content_type="text/event-stream")
    with (
        ChatServer(lambda request: blind) as server,
        pytest.raises(BudgetSpent, match=r"--max-cost: 9 cannot be kept, .* tells no usage"),
    ):
        go(service, tmp_path, server.url, prices=Prices(1.0, 1.0, 9.0), concurrency=2)
    assert len(server.requests) <= 4
    assert {made.finish for made in generations(tmp_path)} == {"stop"}


def test_samples_that_are_refused_do_not_end_a_run(service, tmp_path, monkeypatch):
    """Nor one that goes on with nothing but them."""
    monkeypatch.setattr(generate, "GIVE_UP_AFTER", 3)

    def short(request: Request) -> Play:
        n = int(request.body["messages"][-1]["content"].split()[2])
        return error(400, "too long") if n > 1 else adds(request)

    with ChatServer(short) as server:
        for asked in (24, 40):
            (summary,) = go(service, tmp_path, server.url, concurrency=1)
            assert len(server.requests) == asked
            assert summary.shares.api_error == pytest.approx(16 / 24)
    with (
        ChatServer(lambda request: error(400, "no seed, please")) as server,
        pytest.raises(EndpointGone, match="no seed, please"),
    ):
        go(service, tmp_path / "other", server.url, concurrency=1)
    assert len(server.requests) == 3


def test_what_a_grader_failed_at_is_graded_again(service, tmp_path):
    with ChatServer(adds) as server:
        (whole,) = go(service, tmp_path, server.url)
    path = tmp_path / "sums" / "scores.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row, status in zip(rows, ("TIMEOUT", "INTERNAL", "UNDECIDED"), strict=False):
        row |= {"status": "grader_error", "score": None, "evidence": {"status": status}}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (summary,) = go(service, tmp_path, None)
    assert summary.shares.grader_error == pytest.approx(1 / 24)  # what stays undecided
    assert len(path.read_text().splitlines()) == 26
    path.write_text("".join(path.read_text().splitlines(keepends=True)[3:]))
    assert go(service, tmp_path, None) == [whole]


def test_a_verification_server_that_dies_invents_nothing(service, tmp_path, monkeypatch):
    monkeypatch.setenv("TOUCHSTONE_RESEND_S", "0")  # it does not come back
    with ChatServer(adds) as server:
        (whole,) = go(service, tmp_path / "whole", server.url)

        def slow(request: Request) -> Play:
            return replace(adds(request), wait_s=0.1)

    with EmbeddedServer("--log-level", "error", "--sandbox", "none") as dying:

        def kills(request: Request) -> Play:
            if request.number == 12:
                os.kill(dying.pid, signal.SIGKILL)
            return slow(request)

        with ChatServer(kills) as server, pytest.raises(ServiceError, match="UNAVAILABLE"):
            go(dying, tmp_path / "out", server.url, concurrency=2)
    assert None not in scores(tmp_path / "out").values()
    with ChatServer(adds) as server:
        assert go(service, tmp_path / "out", server.url) == [
            replace(whole, seconds=pytest.approx(whole.seconds, abs=1e9))
        ]
    made = generations(tmp_path / "out")
    assert len({(one.question, one.sample) for one in made}) == len(made) == 24
    assert scores(tmp_path / "out") == scores(tmp_path / "whole")


@pytest.mark.parametrize(
    ("raw", "name", "message"),
    [
        (b'{"id": "a"}\n', "aime24.jsonl", "aime24: its data .*aime24.jsonl.* are damaged: KeyError"),
        (b'{"id": "a", "problem": "\\ud800", "expected_answer": "1"}\n', "aime24.jsonl", "aime24: .*damaged.*surrogates"),
        (b"[" * 99_999, "aime24.jsonl", "line 1: maximum recursion"),
        (b"\xff", "aime24.jsonl", "aime24.jsonl: damaged"),
        (gzip.compress(b"{}" * 99, mtime=0)[:-20], "aime_1983_2023.jsonl.gz", "2023.jsonl.gz: damaged"),
        (gzip.compress(bytes(999), mtime=0)[:20] + b"x" * 99, "aime_1983_2023.jsonl.gz", "2023.jsonl.gz: damaged"),
    ],
)  # fmt: skip
def test_damaged_data_are_named(service, tmp_path, raw, name, message):
    path = tmp_path / "aime_amc" / name
    path.parent.mkdir()
    path.write_bytes(raw)
    found = cli(
        "run", "--model", "http://127.0.0.1:9/v1", "--model-name", NAME, "--data", str(tmp_path),
        "--benchmarks", name.split(".")[0], "--out", str(tmp_path / "out"),
        "--verifier", service.address,
    )  # fmt: skip
    assert found.exit_code == 2, found.exception
    assert re.search(message, " ".join(found.stderr.split()))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], r"the verification server \(--verifier\): UNAVAILABLE"),
        (["--benchmarks", " , "], "--benchmarks: names with commas between, got ' , '"),
        (["--omit", "sead"], "--omit: one of max_tokens, seed, .* got 'sead'"),
        (["--max-failed", "5"], "less than or equal to 1"),
        (["--model", "http://127.0.0.1:1/\x00"], "--model: .* is no URL"),
    ],
)
def test_what_cannot_be_done_is_refused(tmp_path, arguments, message):
    found = cli(
        "run", "--model", "http://127.0.0.1:9/v1", "--model-name", NAME, "--benchmarks", "aime24",
        "--data", str(data_folder(tmp_path / "data")), "--out", str(tmp_path / "out"),
        "--verifier", "127.0.0.1:9", *arguments,
    )  # fmt: skip
    assert found.exit_code == 2, found.exception
    assert re.search(message, " ".join(found.stderr.replace("│", " ").split()))


def test_questions_with_one_id_are_named(service, tmp_path):
    row = json.dumps({"id": "a/b\n|", "problem": "1 + 1?", "expected_answer": "2"})
    path = data_folder(tmp_path, 2) / "aime_amc" / "aime24.jsonl"
    path.write_text(f"{row}\n{row}\n")
    told = command(tmp_path / "out", tmp_path, "http://127.0.0.1:9/v1", service.address)
    found = cli(*told[3:])
    assert found.exit_code == 2
    assert r"aime24: 1 ids are there twice: 'a/b\n|'" in " ".join(found.stderr.split())
    path.write_text(f"{row}\n")
    with ChatServer(lambda request: stream("\\boxed{2}")) as server:
        told = command(tmp_path / "out", tmp_path, server.url, service.address)
        for _ in range(2):
            assert cli(*told[3:]).exit_code == 0
        assert len(server.requests) == 8
    for form in ("report", "table"):
        assert cli(form, str(tmp_path / "out")).exit_code == 0
