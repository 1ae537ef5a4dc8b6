"""What a task's verifier hands back to the engine, whatever the task."""

from __future__ import annotations

from dataclasses import dataclass, field

from verifier.v1 import verifier_pb2 as pb


@dataclass
class TaskOutcome:
    """The accuracy part of a verdict, and the evidence for it.

    `score` is in [0, 1] and counts only when `status` is OK; `message` says
    why it is not. `queued_ms` is time spent waiting for a worker or a slot, or for an equal item's
    outcome, of which this one is then a copy (`cache_hit`).
    """

    status: pb.Verdict.Status.ValueType
    reason: pb.Part.Reason.ValueType
    score: float | None = None
    detail: str = ""
    message: str = ""
    extracted: str | None = None
    evidence: pb.Evidence = field(default_factory=pb.Evidence)
    queued_ms: float = 0.0
    sandbox_tier: str = ""
    cache_hit: bool = False
    judge_model: str = ""
    """Who answered for the judge, or was asked where nobody did; see `asking.answered_by`."""
    rating: float | None = None
    """A reward model's raw score, where the recipe wants one."""
    reward_model: str = ""
    """The reward model that was asked, also where it failed."""
