"""A tiny model behind a real vLLM on this machine's CPU: three benchmarks, eight samples of each
question, killed three times and resumed, equal to a run that was left alone. Needs the data folder
and scripts/install-engines.sh."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from evals.records import Generation, Score, read
from tests.trainer.engines import served, tiny_model

BENCHMARKS = ("aime24", "math500", "gsm8k")
QUESTIONS, K = 5, 8
SAMPLES = len(BENCHMARKS) * QUESTIONS * K
CONTEXT = "8192"
"""Tokens: with a tokenizer of bytes a prompt has thousands."""
TEMPLATE = "{% for m in messages %}{{ m.content }}\n{% endfor %}"
DATA = Path(os.environ.get("TOUCHSTONE_DATA", Path(__file__).parents[3] / "shared" / "data"))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory):
    if not DATA.is_dir():
        pytest.skip(f"no data folder {DATA} (TOUCHSTONE_DATA)")
    folder = tmp_path_factory.mktemp("engine")
    model = tiny_model(folder / "model")
    for name, changes in (
        ("config.json", {"max_position_embeddings": int(CONTEXT)}),
        ("tokenizer_config.json", {"chat_template": TEMPLATE}),
    ):
        path = model / name
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    # One at a time: what a sample is computed beside rounds its numbers.
    options = ("--served-model-name", "tiny", "--max-model-len", CONTEXT, "--max-num-seqs", "1")
    with served("vllm", model, folder, *options) as server:
        yield f"{server.url}/v1"


def command(url: str, out: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "evals.cli", "run", "--model", url, "--out", str(out)),
        *("--benchmarks", ",".join(BENCHMARKS), "--k", str(K), "--limit", str(QUESTIONS)),
        *("--max-tokens", "32", "--concurrency", "4", "--data", str(DATA)),
        *("--max-failed", "1"),  # what random bytes say may be undecided
    ]


def records(out: Path) -> dict[tuple[str, str, int], tuple[str, str, float | None]]:
    found = {}
    for name in BENCHMARKS:
        made = list(read(out / name / "generations.jsonl", Generation))
        scores = {s.key: s.score for s in read(out / name / "scores.jsonl", Score)}
        found |= {(name, g.question, g.sample): (g.response, g.finish, scores[g.key]) for g in made}
        assert max(Counter(g.key for g in made).values()) == 1
    return found


def count(out: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in out.glob("*/generations.jsonl"))


def test_killed_three_times_it_comes_to_the_same(url: str, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    done = subprocess.run(command(url, whole), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    for share in (0.2, 0.5, 0.8):
        process = subprocess.Popen(
            command(url, killed), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 600
        while count(killed) < share * SAMPLES:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert count(killed) < SAMPLES
    again = subprocess.run(command(url, killed), capture_output=True, text=True, timeout=600)
    assert again.returncode == 0, again.stderr
    assert len(records(whole)) == SAMPLES
    assert records(killed) == records(whole)
    assert again.stdout.splitlines()[-1] == done.stdout.splitlines()[-1]
    for name in BENCHMARKS:
        first, second = (
            json.loads((out / name / "summary.json").read_text()) for out in (whole, killed)
        )
        for summary in (first, second):
            del summary["seconds"]
        assert first == second
