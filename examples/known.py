"""Items beside what their verdicts must be, and the comparison of the two. Pure.

Covered: status, the accuracy part's score and reason, the format part's score,
a range for the language part, and that a reward is there exactly when the
status is OK and is then the weighted sum of the parts. Not covered: evidence,
provenance and timing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from verifier.v1 import verifier_pb2 as pb

META_KEYS = frozenset(
    {
        "family",
        "expected_status",
        "expected_accuracy",
        "expected_reason",
        "expected_format",
        "expected_language_min",
        "expected_language_max",
    }
)
"""What the `meta` of an item in demo.jsonl may say."""


@dataclass(frozen=True)
class Expectation:
    """The known verdict; None where nothing is claimed."""

    status: str
    accuracy: float | None = None
    reason: str | None = None
    format: float | None = None
    language: tuple[float, float] | None = None

    def __str__(self) -> str:
        words = [self.status]
        if self.accuracy is not None:
            words.append(f"accuracy {self.accuracy:g}")
        if self.reason is not None:
            words.append(self.reason)
        if self.format is not None:
            words.append(f"format {self.format:g}")
        if self.language is not None:
            words.append(f"language {self.language[0]:g} to {self.language[1]:g}")
        return ", ".join(words)


@dataclass(frozen=True)
class Known:
    """An item whose verdict is known."""

    item: pb.Item
    expected: Expectation


@dataclass(frozen=True)
class KnownSet:
    """Items of one origin, with what its selection left out, by reason."""

    name: str
    items: list[Known]
    left_out: dict[str, int] = field(default_factory=dict)


def expectation(meta: Mapping[str, str]) -> Expectation:
    """The expectation that an item's `meta` states. Raises ValueError for a bad one."""
    unknown = meta.keys() - META_KEYS
    if unknown:
        raise ValueError(f"meta: unknown keys {', '.join(sorted(unknown))}")
    status = meta.get("expected_status", "")
    if status not in pb.Verdict.Status.DESCRIPTOR.values_by_name or status == "UNSPECIFIED":
        raise ValueError(f"meta.expected_status: the name of a status, got {status!r}")
    reason = meta.get("expected_reason")
    if reason is not None and reason not in pb.Part.Reason.DESCRIPTOR.values_by_name:
        raise ValueError(f"meta.expected_reason: the name of a reason, got {reason!r}")
    accuracy = _share(meta, "expected_accuracy")
    if (accuracy is None) == (status == "OK"):
        raise ValueError("meta.expected_accuracy: stated exactly when the status is OK")
    low, high = _share(meta, "expected_language_min"), _share(meta, "expected_language_max")
    if (low is None) != (high is None):
        raise ValueError("meta.expected_language: both ends of the range or neither")
    language = None if low is None or high is None else (low, high)
    return Expectation(status, accuracy, reason, _share(meta, "expected_format"), language)


def _share(meta: Mapping[str, str], key: str) -> float | None:
    if key not in meta:
        return None
    value = float(meta[key])
    if not 0 <= value <= 1:
        raise ValueError(f"meta.{key}: from 0 to 1, got {meta[key]!r}")
    return value


def difference(expected: Expectation, verdict: pb.Verdict) -> str | None:
    """In what the verdict differs from the expectation; None when they agree."""
    status = pb.Verdict.Status.Name(verdict.status)
    if status != expected.status:
        return f"status {status} ({verdict.evidence.message})"
    if verdict.HasField("reward") != (status == "OK"):
        return "a reward with a status that is not OK" if status != "OK" else "no reward"
    if status != "OK":
        return None
    parts = {part.name: part for part in verdict.parts}
    claims = (
        ("accuracy", _point(expected.accuracy)),
        ("format", _point(expected.format)),
        ("language", expected.language),
    )
    for name, bounds in claims:
        if bounds is None:
            continue
        if name not in parts or not parts[name].HasField("score"):
            return f"no {name} score"
        part = parts[name]
        if not bounds[0] - 1e-9 <= part.score <= bounds[1] + 1e-9:
            return f"{name} {part.score:g} ({pb.Part.Reason.Name(part.reason)})"
    reason = pb.Part.Reason.Name(parts["accuracy"].reason) if "accuracy" in parts else None
    if expected.reason is not None and reason != expected.reason:
        return f"reason {reason}"
    total = sum(part.weight * part.score for part in verdict.parts)
    if not math.isclose(verdict.reward, total, abs_tol=1e-9):
        return f"reward {verdict.reward:g}, but the parts make {total:g}"
    return None


def _point(value: float | None) -> tuple[float, float] | None:
    return None if value is None else (value, value)
