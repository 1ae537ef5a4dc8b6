"""Runs against services that misbehave: what comes is an error that says so, or the right thing."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.trainer.support import digits, metrics, recipe, tiny_model
from trainer import rewards
from trainer.config import GrpoConfig
from trainer.grpo import train
from trainer.optimize import TrainingStopped
from verifier.client import Item, Verdict
from verifier.v1.verifier_pb2 import Batch, IndexedVerdict, Verdicts
from verifier.v1.verifier_pb2_grpc import VerifierServicer, add_VerifierServicer_to_server

Answer = Callable[[int, Item], Verdict | None]


@contextmanager
def service(answer: Answer, shift: int = 0) -> Iterator[str]:
    """The address of a service that says of each item what `answer` returns, None: nothing."""

    class Fake(VerifierServicer):
        def VerifyBatch(self, request: Batch, context: grpc.ServicerContext) -> Iterator[Verdicts]:
            said = [(n, answer(n, item)) for n, item in enumerate(request.items)]
            placed = [IndexedVerdict(index=n + shift, verdict=v) for n, v in said if v is not None]
            yield Verdicts(verdicts=placed)

    server = grpc.server(ThreadPoolExecutor(32))
    add_VerifierServicer_to_server(Fake(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(0)


def verdict(reward: float) -> Verdict:
    return Verdict(status=Verdict.Status.OK, reward=reward)


def failed(status: Verdict.Status) -> Verdict:
    said = Verdict(status=status)
    said.evidence.message = "the reason"
    return said


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., GrpoConfig]:
    folder = tmp_path_factory.mktemp("parts")
    parts = tiny_model(folder / "model"), digits(folder / "digits.jsonl")

    def make(directory: Path, address: str, **sections: dict[str, Any]) -> GrpoConfig:
        reward = {"address": address} | sections.pop("reward", {})
        return recipe(directory, *parts, reward=reward, run={"steps": 2}, **sections)

    return make


@pytest.mark.parametrize(
    ("answer", "shift", "said"),
    [
        (lambda n, _: verdict(1.0) if n else None, 0, "answered 7 of 8 items without an error"),
        (lambda n, _: verdict(float(n)), 4, "item 8 of 8"),
        (lambda *_: verdict(float("nan")), 0, r"item 0 of 8, .*: reward nan"),
        (lambda *_: verdict(float("-inf")), 0, "reward -inf"),
    ],
)
def test_an_answer_that_cannot_be_is_an_error(
    told: Callable[..., GrpoConfig], tmp_path: Path, answer: Answer, shift: int, said: str
) -> None:
    named = f"^the verification service 127.0.0.1:.*: {said}"
    with service(answer, shift) as address, pytest.raises(TrainingStopped, match=named):
        train(told(tmp_path, address))


def test_a_call_that_fails_ends_the_run(told: Callable[..., GrpoConfig], tmp_path: Path) -> None:
    def broken(*_: object) -> Verdict:
        raise RuntimeError("boom")

    with service(broken) as address, pytest.raises(TrainingStopped, match=r"UNKNOWN: .*boom"):
        train(told(tmp_path, address))


def test_a_service_that_hangs_is_given_up(
    told: Callable[..., GrpoConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewards, "LEAST_SILENCE_S", 1.0)

    over, said = threading.Event(), r"DEADLINE.*reward.wait_seconds = 1"

    def silent(*_: object) -> Verdict:
        over.wait(120)
        return verdict(1.0)

    began = time.monotonic()
    with service(silent) as address, pytest.raises(TrainingStopped, match=said):
        train(told(tmp_path, address, reward={"wait_seconds": 1}))
    over.set()
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("status", [Verdict.Status.UNDECIDED, Verdict.Status.INVALID])
def test_a_step_without_any_reward_ends_the_run(
    told: Callable[..., GrpoConfig], tmp_path: Path, status: Verdict.Status
) -> None:
    with service(lambda *_: failed(status)) as address:
        with pytest.raises(TrainingStopped, match="step 0: none of 64 completions has a reward"):
            train(told(tmp_path / "masked", address))
        assert metrics(tmp_path / "masked")[0]["reward/failed_share"] == 1.0
        train(told(tmp_path / "zero", address, reward={"on_failure": "zero"}))
    assert len(metrics(tmp_path / "zero")) == 2


def test_failures_are_told_and_count_neither_in_training_nor_in_evaluation(
    told: Callable[..., GrpoConfig], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def half(number: int, item: Item) -> Verdict:
        if number % 2:
            return failed(Verdict.Status.INTERNAL)
        said = verdict(float(number))
        said.parts.add(name="accuracy", score=1.0)
        return said

    held_out = digits(tmp_path / "held_out.jsonl", 4)
    with service(half) as address:
        train(told(tmp_path, address, eval={"path": str(held_out), "samples": 2}))
    assert "step 1: 32 items have no reward" in caplog.text
    assert "INTERNAL: the reason" in caplog.text
    first = metrics(tmp_path)[0]
    assert first["reward/failed_share"] == first["eval/failed_share"] == 0.5
    assert first["eval/pass@1"] == 1.0
    assert first["reward/mean"] == 3.0
    assert json.loads((tmp_path / "recipe.json").read_text())["reward"]["on_failure"] == "mask"
