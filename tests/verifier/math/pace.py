"""How fast this machine is just now: bounds on processor time are stated for a fast one."""

from __future__ import annotations

import time

# Seconds that the loop below takes where a bound of so many seconds is generous.
REFERENCE = 0.010


def slack() -> float:
    """By what to multiply a bound: 1 on a fast, idle machine, more on a slower or crowded one."""
    best = min(_loop() for _ in range(3))
    return max(1.0, best / REFERENCE)


def _loop() -> float:
    started, total = time.process_time(), 0
    for number in range(200_000):
        total += len(str(number))
    return time.process_time() - started
