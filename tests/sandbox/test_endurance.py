"""The endurance runs of tests/bench, short: nothing is left, nothing flips."""

from __future__ import annotations

import pytest

from tests.bench.endurance import MAX_GROWTH, Left, flips, soak

pytestmark = pytest.mark.alone


async def test_a_short_soak_leaves_nothing() -> None:
    figures = await soak(3_000)
    # Other programs of the host come and go in its /tmp.
    left = {name: figures[name] for name in Left.__annotations__ if name != "files"}
    assert not any(left.values()), left
    assert figures["sandbox_errors"] == 0
    assert figures["memory_growth"] < MAX_GROWTH


async def test_nothing_flips_on_a_crowd() -> None:
    assert (await flips(300))["flips"] == 0
