"""Does an engine really have the weights that it was sent?

After a sync both sides say how likely the same sequences are. That alone finds an old or partial
model only where it differs by more than the two sides' arithmetic does, and one step at a small
learning rate in bf16 does not. So each side is also compared with itself before the step: what the
trainer's log-probabilities moved by, the engine's must have moved by too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.rollout.engine import RolloutEngine

FOLLOWED = 0.75
"""Least share of the trainer's change that an engine with the new weights shows. One without has 0,
and arithmetic's own differences, which do not depend on the change, leave 1 in the mean."""

SIGNIFICANT = 4.0
"""Standard errors that the share must be away from 1 to count: once in 30,000 checks by chance."""


class StaleWeights(Exception):
    """An engine does not have the weights that it was sent; the figures say how far off it is."""


@dataclass(frozen=True)
class SyncReport:
    """How far the engine is from the trainer, nats, over all tokens of the check."""

    median: float
    max: float
    followed: float | None
    """Share of the trainer's change that the engine shows; None at first and without a change."""


class SyncCheck:
    """Compares an engine with the trainer on the same sequences after each sync."""

    def __init__(self, sequences: Sequence[tuple[int, ...]], tolerance: float) -> None:
        """`tolerance` is the largest median difference, nats."""
        self.sequences = sequences
        self._tolerance = tolerance
        self._before: tuple[Tensor, Tensor] | None = None

    def __call__(self, engine: RolloutEngine, trainer: Sequence[Sequence[float]]) -> SyncReport:
        """`trainer` has its log-probability, at temperature 1, of each token but the first of each
        sequence. Raises StaleWeights, EngineError."""
        ours, theirs = _flat(trainer), _flat(engine.logprobs(self.sequences))
        gap = (theirs - ours).abs()
        share, error = (
            (None, 0.0)
            if self._before is None
            else _followed(ours - self._before[0], theirs - self._before[1])
        )
        report = SyncReport(float(gap.median()), float(gap.max()), share)
        figures = (
            f"log-probabilities differ by {report.median:.2g} nats in the median (at most "
            f"{self._tolerance:g} is allowed) and {report.max:.2g} at most"
        )
        if not report.median <= self._tolerance:  # a NaN is no agreement
            raise StaleWeights(f"version {engine.version}: {figures}")
        if share is not None and share < FOLLOWED and share + SIGNIFICANT * error < 1.0:
            raise StaleWeights(
                f"version {engine.version}: the engine shows {share:.2f} of what the trainer "
                f"changed; {figures}"
            )
        self._before = ours, theirs
        return report


def _flat(rows: Sequence[Sequence[float]]) -> Tensor:
    return torch.tensor([value for row in rows for value in row], dtype=torch.float64)


def _followed(ours: Tensor, theirs: Tensor) -> tuple[float | None, float]:
    """Slope of the engine's change over the trainer's through the origin; its standard error."""
    power = float(ours @ ours)
    if power == 0.0:
        return None, 0.0
    slope = float(ours @ theirs) / power
    rest = theirs - slope * ours
    return slope, float((rest @ rest / len(rest) / power).sqrt())
