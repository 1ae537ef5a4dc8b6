from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.client import Item, Verdict, VerificationFailed, batch, rewards
from verifier.client.batch import batches

RIGHT = Verdict(id="r", status=Verdict.OK, reward=1.0)
WRONG = Verdict(id="w", status=Verdict.OK, reward=0.0)
FAILED = Verdict(id="f", status=Verdict.SANDBOX_ERROR)
FAILED.evidence.message = "no slot"


def test_rewards_under_each_policy() -> None:
    verdicts = [RIGHT, FAILED, WRONG]
    assert rewards(verdicts).values == [1.0, None, 0.0]
    assert rewards(verdicts, "none").counts == [True, False, True]
    assert rewards(verdicts, "zero").values == [1.0, 0.0, 0.0]
    assert rewards(verdicts, "zero").counts == [True, True, True]
    assert rewards(verdicts, "mask").values == [1.0, 0.0, 0.0]
    assert rewards(verdicts, "mask").counts == [True, False, True]
    with pytest.raises(VerificationFailed, match="'f' SANDBOX_ERROR: no slot") as caught:
        rewards(verdicts, "raise")
    assert caught.value.verdicts == [FAILED]
    assert rewards([RIGHT, WRONG], "raise").values == [1.0, 0.0]
    with pytest.raises(ValueError, match="one of none, raise, zero, mask, got 'ignore'"):
        rewards(verdicts, "ignore")  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 3000), max_size=60), st.integers(1, 20), st.integers(1, 10_000))
def test_batches_keep_every_item_and_the_limits(sizes: list[int], most: int, size: int) -> None:
    items = [Item(id=str(n), response="x" * length) for n, length in enumerate(sizes)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "BATCH_ITEMS", most)
        patch.setattr(batch, "BATCH_BYTES", size)
        made = list(batches(items))
    assert [item for _, one in made for item in one.items] == items
    place = 0
    for start, one in made:
        assert start == place
        place += len(one.items)
        assert 1 <= len(one.items) <= most
        assert len(one.items) == 1 or sum(i.ByteSize() for i in one.items) <= size
    assert len(made) >= math.ceil(len(items) / most)


def test_items_are_spread_over_replicas() -> None:
    items = [Item(id=str(n)) for n in range(1000)]

    def sizes(count: int, replicas: int) -> list[int]:
        return [len(one.items) for _, one in batches(items[:count], replicas)]

    assert sizes(1000, 1) == [512, 488]
    assert sizes(1000, 4) == [250] * 4
    assert sizes(40, 4) == [32, 8]
    assert sizes(1000, 100) == [32] * 31 + [8]
