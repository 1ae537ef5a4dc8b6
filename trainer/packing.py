"""Which samples share a micro-batch, and which rank gets it: numbers in, indices out.

Both functions are deterministic and lose nothing: every index comes back exactly once.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence


def pack(lengths: Sequence[int], budget: int, *, multiple: int = 1) -> list[list[int]]:
    """Samples into few micro-batches of at most `budget` tokens: best-fit decreasing, as R1 packs
    (arXiv 2501.12948v2, B.1), never more than 11/9 of the fewest possible, and a bit.

    Args:
        lengths: tokens of each sample, at least 1.
        budget: tokens of a micro-batch.
        multiple: the number of micro-batches is a multiple of this (data-parallel ranks go through
            the same number). The largest ones are split for it; where every one of them has a
            single sample, empty ones are added, for the caller to fill.

    Returns:
        Indices into `lengths`, for each micro-batch from the longest sample to the shortest, so
        that neighbours have similar lengths: that is what attention pads by.

    Raises:
        ValueError: a sample that is longer than the budget, or empty, by its index.
    """
    if budget < 1 or multiple < 1:
        raise ValueError(f"budget and multiple: at least 1, not {budget} and {multiple}")
    for index, length in enumerate(lengths):
        if not 1 <= length <= budget:
            raise ValueError(f"lengths[{index}]: from 1 to the budget of {budget}, not {length}")
    batches: list[list[int]] = []
    room: list[tuple[int, int]] = []  # (tokens left, batch), sorted: the first that fits is fullest
    for index in _descending(lengths):
        place = bisect_left(room, (lengths[index], 0))
        left, batch = room.pop(place) if place < len(room) else (budget, len(batches))
        if batch == len(batches):
            batches.append([])
        batches[batch].append(index)
        insort(room, (left - lengths[index], batch))
    while len(batches) % multiple:
        largest = max(batches, key=lambda batch: (len(batch) > 1, sum(lengths[i] for i in batch)))
        # Every other one: halves of nearly equal size, as they are sorted. A lone one stays.
        batches.append(largest[1::2])
        del largest[1::2]
    return batches


def balance(costs: Sequence[float], ranks: int) -> list[list[int]]:
    """Micro-batches over data-parallel ranks, the same number for each, of nearly equal cost.

    In rounds of `ranks`, from the costliest down: in each the costliest goes to the rank that has
    least so far. So what ranks work on at the same time costs about the same, and no two of them
    differ in sum by more than two micro-batches do.

    Raises:
        ValueError: the number of micro-batches is no multiple of `ranks` (see `pack`).
    """
    if ranks < 1 or len(costs) % ranks:
        raise ValueError(f"costs: a multiple of {ranks} ranks, not {len(costs)}")
    order = _descending(costs)
    shares: list[list[int]] = [[] for _ in range(ranks)]
    loads = [0.0] * ranks
    for start in range(0, len(order), ranks):
        idle_first = sorted(range(ranks), key=lambda rank: loads[rank])
        for rank, index in zip(idle_first, order[start : start + ranks], strict=True):
            shares[rank].append(index)
            loads[rank] += costs[index]
    return shares


def _descending(sizes: Sequence[float]) -> list[int]:
    return sorted(range(len(sizes)), key=lambda index: (-sizes[index], index))
