"""Where a response stops thinking: one rule for all that reads what it says in the end. Pure."""

from __future__ import annotations

THINK, END = "<think>", "</think>"


def said_from(response: str) -> int | None:
    """Code points before what a response says in the end: all up to its last `</think>`.

    0 where it never thought aloud; None where a thought was begun and none ended, for then
    nothing is said yet.
    """
    end = response.rfind(END)
    if end >= 0:
        return end + len(END)
    return None if THINK in response else 0
