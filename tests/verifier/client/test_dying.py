"""Real servers, killed in mid-batch: their work is done by who comes back, or by another."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator

import pytest

from tests.verifier.support import math_item, wait_for
from verifier.client import AsyncVerifierClient, VerifierClient
from verifier.embedded import EmbeddedServer

COUNT = 4000
ITEMS = [math_item(f"{n:01000}", str(n % 7), gold="3") for n in range(COUNT)]
"""With long ids, so that no call's verdicts are all on their way before the first are read."""
RIGHT = [float(n % 7 == 3) for n in range(COUNT)]
KILLED_AT = 10
"""Verdicts; the calls that are open then have two thousand items."""


class Mortal:
    """A server that can be killed, and started again at its address."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = ("--log-level", "error", "--sandbox", "none", *arguments)
        self.server = EmbeddedServer(*self._arguments)
        self.server.__enter__()
        self.address = self.server.address

    def kill(self) -> None:
        os.kill(self.server.pid, signal.SIGKILL)
        self.server.__exit__(None, None, None)

    def revive(self) -> None:
        self.server = EmbeddedServer(*self._arguments, "--listen", self.address)
        self.server.__enter__()


@pytest.fixture(scope="module")
def mortal() -> Iterator[Mortal]:
    running = Mortal()
    yield running
    running.server.__exit__(None, None, None)


def killed_and_revived(mortal: Mortal) -> threading.Thread:
    mortal.kill()
    helper = threading.Thread(target=mortal.revive)
    helper.start()
    return helper


def check(came: list[tuple[int, str, float]]) -> None:
    assert len(came) == COUNT, "each once"
    came.sort()
    assert [place for place, _, _ in came] == list(range(COUNT))
    assert [name for _, name, _ in came] == [item.id for item in ITEMS]
    assert [reward for _, _, reward in came] == RIGHT


def test_a_server_that_is_killed_and_started_again(
    mortal: Mortal, caplog: pytest.LogCaptureFixture
) -> None:
    came, helper = list[tuple[int, str, float]](), None
    with VerifierClient(mortal.address, resend_s=60) as client:
        for place, verdict in client.stream(ITEMS):
            came.append((place, verdict.id, verdict.reward))
            if len(came) == KILLED_AT:
                helper = killed_and_revived(mortal)
        assert helper is not None
        helper.join()
    check(came)
    assert "is away (UNAVAILABLE: " in caplog.text, "it was killed too late"


async def test_the_same_in_an_event_loop(mortal: Mortal, caplog: pytest.LogCaptureFixture) -> None:
    came, helper = list[tuple[int, str, float]](), None
    async with AsyncVerifierClient(mortal.address, resend_s=60) as client:
        async for place, verdict in client.stream(ITEMS):
            came.append((place, verdict.id, verdict.reward))
            if len(came) == KILLED_AT:
                helper = await asyncio.to_thread(killed_and_revived, mortal)
        assert helper is not None
        await asyncio.to_thread(helper.join)
    check(came)
    assert "is away (UNAVAILABLE: " in caplog.text, "it was killed too late"


def test_another_replica_does_the_work_of_one_that_is_killed(
    mortal: Mortal, server: EmbeddedServer, caplog: pytest.LogCaptureFixture
) -> None:
    came = list[tuple[int, str, float]]()
    with VerifierClient(f"{mortal.address},{server.address}", resend_s=10) as client:
        tiers = set[str]()

        def both() -> bool:  # one of them, which has no sandbox, may be connected later
            tiers.add(client.describe().sandbox_tier)
            return len(tiers) == 2

        wait_for(both, 30)
        # It owes something for certain when it dies.
        os.kill(mortal.server.pid, signal.SIGSTOP)
        killer = threading.Timer(0.5, mortal.kill)
        killer.start()
        for place, verdict in client.stream(ITEMS):
            came.append((place, verdict.id, verdict.reward))
        killer.join()
        check(came)
        # And it goes on without the dead one.
        assert client.verify(ITEMS[3:4])[0].reward == 1.0
    assert "is away (UNAVAILABLE: " in caplog.text
