"""Items per minute, as a bucket of tokens: full at first, and filled again evenly. Pure."""

from __future__ import annotations

SECONDS = 60.0


class Quota:
    """What one caller has left. Times are seconds of any one clock that does not go back.

    A batch of more items than a minute's is let in when the bucket is full, and then paid off: the
    average holds, and no batch is too large for ever.
    """

    def __init__(self, per_minute: int, now: float) -> None:
        self.per_minute = per_minute
        self._left, self._seen = float(per_minute), now

    def take(self, items: int, now: float) -> float:
        """Takes the items and returns 0, or takes none and returns the seconds until they can be
        taken, if nobody else takes any."""
        gained = (now - self._seen) * self.per_minute / SECONDS
        self._left, self._seen = min(self._left + gained, float(self.per_minute)), now
        short = min(items, self.per_minute) - self._left
        if short > 0:
            return short * SECONDS / self.per_minute
        self._left -= items
        return 0.0
