"""What goes between the front and its engines comes out as it went in."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.processes import frames
from verifier.processes.frames import Answered, Asked, Kind

NUMBERS = st.integers(0, 2**32 - 1)
ASKED = st.builds(
    Asked,
    number=NUMBERS,
    waited=st.floats(0, 1e6),
    caller=st.text(max_size=30),
    weight=st.integers(0, 255),
    program=st.booleans(),
    carrier=st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=3),
    item=st.binary(max_size=200),
)
ANSWERED = st.builds(Answered, NUMBERS, st.floats(0, 1e6), st.none() | st.binary(max_size=200))


async def through(*raw: bytes) -> list[tuple[Kind, bytes]]:
    stream = asyncio.StreamReader()
    stream.feed_data(b"".join(raw))
    stream.feed_eof()
    found = []
    while (said := await frames.read(stream)) is not None:
        found.append(said)
    return found


@given(st.lists(ASKED, max_size=5), st.lists(ANSWERED, max_size=5), st.lists(NUMBERS, max_size=5))
def test_frames_come_out_as_they_went_in(
    asked: list[Asked], answered: list[Answered], numbers: list[int]
) -> None:
    sent = (
        frames.items(asked),
        frames.verdicts(answered),
        frames.numbers(Kind.WITHDRAW, numbers),
        frames.numbered(Kind.FAILED, 7, b"why"),
    )
    items, verdicts, withdrawn, failed = asyncio.run(through(*sent))
    assert (items[0], list(frames.read_items(items[1]))) == (Kind.ITEMS, asked)
    assert (verdicts[0], list(frames.read_verdicts(verdicts[1]))) == (Kind.VERDICTS, answered)
    assert (withdrawn[0], list(frames.read_numbers(withdrawn[1]))) == (Kind.WITHDRAW, numbers)
    assert (failed[0], frames.read_numbered(failed[1])) == (Kind.FAILED, (7, b"why"))


@given(st.integers(0, 30))
def test_a_frame_that_is_cut_off_is_the_end(size: int) -> None:
    raw = frames.frame(Kind.READY, b"x" * 25)
    assert asyncio.run(through(raw[:size])) == ([] if size < 30 else [(Kind.READY, b"x" * 25)])


def test_items_of_any_number_and_size_fit_the_lengths_of_frames(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(frames, "FRAME_BYTES", 1000)
    asked = [Asked(n, 0.0, "a", 8, False, {}, b"x" * 300) for n in range(50)]
    found = asyncio.run(through(frames.items(asked)))
    assert max(len(body) for _, body in found) < 2 * 1000
    assert [each for _, body in found for each in frames.read_items(body)] == asked
