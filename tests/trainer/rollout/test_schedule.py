"""How long an engine is waited for."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.trainer.multiprocess import Ranks
from trainer.collect import Collected
from trainer.metrics import Figures
from trainer.parallel import SINGLE, Layout, make_layout
from trainer.rollout.engine import EngineAway, EngineError
from trainer.rollout.schedule import Rollouts, patience


@pytest.mark.parametrize("kind", [EngineAway, EngineError])
def test_an_engine_that_is_not_there_is_waited_for_and_one_that_refuses_is_not(
    kind: type[EngineError], caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[int] = []

    def greet() -> str:
        tries.append(len(tries))
        if len(tries) < 2:
            raise kind("nobody listens")
        return "served"

    if kind is EngineAway:
        assert patience(30, EngineAway)(greet) == "served"
        assert "nobody listens; waiting for the engine" in caplog.text
    else:
        with pytest.raises(EngineError, match="nobody listens"):
            patience(30, EngineAway)(greet)
        assert tries == [0]


def test_it_is_waited_for_no_longer_than_told() -> None:
    def greet() -> None:
        raise EngineAway("nobody listens")

    with pytest.raises(EngineAway):
        patience(0.1, EngineAway)(greet)


def rollouts(
    collect: Callable[..., Any], send: Callable[[int], None], layout: Layout, **algorithm: int
) -> Rollouts:
    """Over a collector that only has `collect`; two prompts a step."""
    rollout = SimpleNamespace(
        max_new_tokens=8, temperature=1.0, top_p=1.0, top_k=0, timeout_seconds=60.0,
        prompts_per_rollout=2, group_size=2, staleness=0,
    )  # fmt: skip
    recipe: Any = SimpleNamespace(
        rollout=rollout,
        run=SimpleNamespace(seed=1, steps=9),
        data=SimpleNamespace(shuffle=False),
        algorithm=SimpleNamespace(**{"dynamic_sampling": 0} | algorithm),
    )
    tokenizer = SimpleNamespace(stop_token_ids=(0,))
    collector: Any = SimpleNamespace(tokenizer=tokenizer, collect=collect)
    return Rollouts(collector, lambda _: ["a", "b"], recipe, layout, send, 0)


def fails_in_the_second_round(failing: int) -> tuple[int, int, int]:
    """What one of two ranks asks of its engine and sends to it when that of rank `failing` fails
    once, in the second round of a step all of whose groups have equal rewards."""
    layout, asked, sent = make_layout(1), list[int](), list[int]()

    def collect(*_: object) -> Collected:
        asked.append(1)
        if layout.dp_rank == failing and len(asked) == 2:
            raise EngineError("it died")
        span = SimpleNamespace(version=0)
        group: Any = SimpleNamespace(verdicts=[], completions=[SimpleNamespace(spans=[span])])
        return Collected([group], 0.0, 0.0)

    steps = rollouts(collect, sent.append, layout, dynamic_sampling=1)
    taken = steps.take(0, Figures())
    steps.close()
    return len(asked), len(sent), len(taken)


def test_ranks_stay_in_step_when_one_fails_between_rounds() -> None:
    with Ranks(2) as two:
        assert two.run(fails_in_the_second_round, 1) == [(4, 1, 1)] * 2


def test_ranks_agree_on_every_try_also_where_the_weights_cannot_be_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("trainer.rollout.schedule.LONGEST_WAIT_S", 0)
    failures = ["dead", "still dead"]

    def send(version: int) -> None:
        if failures:
            raise EngineError(failures.pop(0))

    asked: list[bool] = []
    monkeypatch.setattr(Rollouts, "_any_rank", lambda _, flag: asked.append(flag) or flag)
    steps = rollouts(lambda *_: None, send, SINGLE)
    steps.sync(1)
    steps.close()
    assert asked == [True, True, False]
