"""Verdicts to rewards, under a policy for those that have none. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from verifier.v1.verifier_pb2 import Verdict

OnFailure = Literal["none", "raise", "zero", "mask"]
"""What becomes of an item without a reward: `none` gives None; `raise` raises
VerificationFailed; `zero` gives 0.0 and lets it count; `mask` gives 0.0 and
marks it as not counting."""


class VerificationFailed(Exception):
    """Some items have no reward; `verdicts` are those items' verdicts. Can be pickled."""

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        self.verdicts = verdicts
        first = verdicts[0]
        status = Verdict.Status.Name(first.status)
        super().__init__(
            f"{len(verdicts)} items have no reward; first: {first.id!r} {status}: "
            f"{first.evidence.message}"
        )

    def __reduce__(self) -> tuple[type[VerificationFailed], tuple[list[Verdict]]]:
        return VerificationFailed, (list(self.verdicts),)


@dataclass(frozen=True)
class Rewards:
    """Rewards for a trainer, one place for each verdict.

    Where `counts` is False the sample must be left out of its group's mean and
    standard deviation, and out of the loss.
    """

    values: list[float | None]
    counts: list[bool]


def rewards(verdicts: Sequence[Verdict], on_failure: OnFailure = "none") -> Rewards:
    """The verdicts' rewards under a policy for those that have none. Pure.

    Raises VerificationFailed under the policy `raise`, ValueError for an
    unknown policy.
    """
    if on_failure not in ("none", "raise", "zero", "mask"):
        raise ValueError(f"on_failure: one of none, raise, zero, mask, got {on_failure!r}")
    scored = [verdict.HasField("reward") for verdict in verdicts]
    if on_failure == "raise" and not all(scored):
        raise VerificationFailed([v for v, ok in zip(verdicts, scored, strict=True) if not ok])
    missing = None if on_failure == "none" else 0.0
    return Rewards(
        values=[v.reward if ok else missing for v, ok in zip(verdicts, scored, strict=True)],
        counts=[ok or on_failure == "zero" for ok in scored],
    )
