"""Whole runs against a real service: they repeat, go on after a kill, and survive what fails."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from tests.trainer.support import digits, metrics, recipe, tiny_model
from trainer import checkpoint
from trainer.checkpoint import CheckpointError
from trainer.config import ConfigError
from trainer.grpo import train
from trainer.optimize import TrainingStopped
from verifier.embedded import EmbeddedServer


@pytest.fixture(scope="module")
def service() -> EmbeddedServer:
    with EmbeddedServer("--log-level", "warning") as server:
        yield server


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("parts")
    return tiny_model(folder / "model"), digits(folder / "digits.jsonl")


def at(service: EmbeddedServer) -> dict[str, str]:
    return {"address": service.address}


def test_a_run_learns_and_writes_all_it_should(
    service: EmbeddedServer, parts: tuple[Path, Path], tmp_path: Path
) -> None:
    steps = 30
    train(
        recipe(
            tmp_path, *parts,
            reward=at(service), run={"steps": steps}, optimizer={"lr": 3e-3},
            eval={"path": str(parts[1]), "every": 10, "samples": 4},
        )
    )  # fmt: skip
    found = metrics(tmp_path)
    assert [line["step"] for line in found] == list(range(steps + 1))
    first, last = (sum(x["reward/mean"] for x in part) / 5 for part in (found[:5], found[-6:-1]))
    assert last > first + 0.2
    assert found[steps]["eval/pass@1"] > found[0]["eval/pass@1"] + 0.2
    assert found[steps]["eval/majority@4"] >= found[steps]["eval/pass@1"] - 0.1
    assert all(line["mismatch/logprob_abs_max"] < 1e-4 for line in found[:-1])
    assert checkpoint.steps(tmp_path / "checkpoints") == [steps - 1, steps]
    assert len(list((tmp_path / "rollouts").glob("*.parquet"))) == steps


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"algorithm": {"preset": "r1", "mini_batches": 2, "epochs": 2, "reference_every": 2}},
        {"rollout": {"staleness": 1}, "algorithm": {"loss": {"tis_cap": 2.0}, "mini_batches": 2}},
        {"algorithm": {"dynamic_sampling": 2, "overlong": {"soft_tokens": 4, "mask": True}}},
        {"model": {"dtype": "bfloat16"}},
    ],
    ids=["plain", "r1", "stale", "dynamic", "bf16"],
)
def test_the_same_run_twice_gives_the_same_bits(
    service: EmbeddedServer,
    parts: tuple[Path, Path],
    tmp_path: Path,
    changes: dict[str, dict[str, object]],
) -> None:
    for name in ("one", "two"):
        train(recipe(tmp_path / name, *parts, reward=at(service), **changes))
    assert metrics(tmp_path / "one") == metrics(tmp_path / "two")
    assert any(line["reward/mean"] > 0 for line in metrics(tmp_path / "one"))
    ends = [
        dict(checkpoint.weights(tmp_path / n / "checkpoints" / "step-00000004"))
        for n in ("one", "two")
    ]
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


RUN = """
import sys, json
from tests.trainer.support import recipe
from trainer.grpo import train
directory, model, data, sections = sys.argv[1:]
from pathlib import Path
train(recipe(Path(directory), Path(model), Path(data), **json.loads(sections)))
"""


def start(
    directory: Path, parts: tuple[Path, Path], **sections: dict[str, object]
) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-c", RUN, str(directory), *map(str, parts), json.dumps(sections)]
    return subprocess.Popen(
        arguments, env=os.environ | {"OMP_NUM_THREADS": "1"}, cwd=Path(__file__).parents[2]
    )


def test_a_killed_run_goes_on_to_the_same_curve(
    service: EmbeddedServer, parts: tuple[Path, Path], tmp_path: Path
) -> None:
    sections = {"reward": at(service), "run": {"steps": 12}, "algorithm": {"mini_batches": 2}}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert start(whole, parts, **sections).wait(300) == 0
    kills = 0
    for delay in (0.0, 0.15, 0.4):
        process = start(broken, parts, **sections)
        before = len(checkpoint.steps(broken / "checkpoints"))
        latest = max(checkpoint.steps(broken / "checkpoints"), default=0)
        end = time.monotonic() + 240
        # At some moment after a further step was saved.
        while max(checkpoint.steps(broken / "checkpoints"), default=0) <= latest:
            assert process.poll() is None or before, "the run ended before it was killed"
            assert time.monotonic() < end
            time.sleep(0.01)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        kills += process.wait(10) == -signal.SIGKILL
    assert kills == 3
    assert start(broken, parts, **sections).wait(300) == 0
    assert metrics(broken) == metrics(whole)
    ends = [dict(checkpoint.weights(d / "checkpoints" / "step-00000012")) for d in (whole, broken)]
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_a_run_is_gone_on_with_as_what_it_is(
    service: EmbeddedServer, parts: tuple[Path, Path], tmp_path: Path
) -> None:
    train(recipe(tmp_path, *parts, reward=at(service), run={"steps": 2}))
    with pytest.raises(ConfigError, match=r"run\.steps: at least the 2 that .* has made, got 1"):
        train(recipe(tmp_path, *parts, reward=at(service), run={"steps": 1}))
    state = tmp_path / "checkpoints" / "step-00000002" / "state.json"
    state.write_text(state.read_text().replace('"grpo"', '"sft"'))
    with pytest.raises(
        CheckpointError, match="of touchstone-train sft, this is touchstone-train grpo"
    ):
        train(recipe(tmp_path, *parts, reward=at(service)))
    assert len(metrics(tmp_path)) == 2


def test_without_a_signal_nothing_moves(
    service: EmbeddedServer, parts: tuple[Path, Path], tmp_path: Path
) -> None:
    data = tmp_path / "impossible.jsonl"
    rows = [json.loads(line) for line in parts[1].read_text().splitlines()]
    for row in rows:
        row["math"] = {"gold": ["123456789"]}
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    train(recipe(tmp_path / "run", parts[0], data, reward=at(service)))
    assert {line["reward/zero_variance_groups"] for line in metrics(tmp_path / "run")} == {1.0}
    start_, end = (
        dict(checkpoint.weights(tmp_path / "run" / "checkpoints" / f"step-0000000{n}"))
        for n in (3, 4)
    )
    assert all(torch.equal(start_[name], end[name]) for name in end)


def test_a_service_that_is_away_is_waited_for(
    parts: tuple[Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with EmbeddedServer("--log-level", "warning") as server:
        address = server.address
    # Nobody listens there now; somebody does once that has been noticed.
    revived: list[EmbeddedServer] = []

    def revive() -> None:
        noticed = time.monotonic() + 120
        while "is away" not in caplog.text and time.monotonic() < noticed:
            time.sleep(0.1)
        revived.append(EmbeddedServer("--log-level", "warning", "--listen", address))
        revived[0].__enter__()

    helper = threading.Thread(target=revive)
    helper.start()
    with caplog.at_level(logging.WARNING):
        train(recipe(tmp_path, *parts, reward={"address": address}, run={"steps": 2}))
    helper.join()
    revived[0].__exit__(None, None, None)
    assert "is away" in caplog.text
    assert len(metrics(tmp_path)) == 2
    assert all(line["reward/failed_share"] < 0.5 for line in metrics(tmp_path))


def test_a_service_that_stays_away_ends_the_run_by_name(
    parts: tuple[Path, Path], tmp_path: Path
) -> None:
    away = recipe(tmp_path, *parts, reward={"address": "127.0.0.1:9", "wait_seconds": 1})
    with pytest.raises(Exception, match="UNAVAILABLE"):
        train(away)


def test_weights_that_are_not_finite_stop_the_run_and_keep_the_batch(
    service: EmbeddedServer, parts: tuple[Path, Path], tmp_path: Path
) -> None:
    wild, twice = {"lr": 1e30, "max_grad_norm": 0}, {"preset": "r1", "mini_batches": 2}
    with pytest.raises(TrainingStopped, match="the batch is in"):
        train(recipe(tmp_path, *parts, reward=at(service), optimizer=wild, algorithm=twice))
    (kept,) = tmp_path.glob("bad-batch-*.safetensors")
    with safe_open(kept, "pt") as file:
        assert file.get_tensor("ids").numel() == file.get_tensor("lengths").sum()


def test_a_model_that_is_broken_is_told_at_its_first_sample(
    service: EmbeddedServer, parts: tuple[Path, Path], tmp_path: Path
) -> None:
    broken = tiny_model(tmp_path / "model", initializer_range=float("inf"))
    with pytest.raises(TrainingStopped, match=r"'digit-\d+': .*not finite"):
        train(recipe(tmp_path / "run", broken, parts[1], reward=at(service)))
