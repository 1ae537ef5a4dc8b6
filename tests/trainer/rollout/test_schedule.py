"""How long an engine is waited for."""

from __future__ import annotations

import pytest

from trainer.rollout.engine import EngineAway, EngineError
from trainer.rollout.schedule import patience


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
