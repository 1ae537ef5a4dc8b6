"""What a run of verdicts amounts to. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from verifier.jsonl import BadLine
from verifier.v1 import verifier_pb2 as pb


@dataclass(frozen=True)
class Summary:
    """Counts by (status, reason of the first part), most frequent first within a status."""

    items: int
    counts: list[tuple[tuple[str, str], int]]
    rewarded: int
    mean_reward: float | None
    """Over the items that have a reward; None when none has."""
    items_per_second: float


def summarise(verdicts: Sequence[pb.Verdict], seconds: float) -> Summary:
    """Counts verdicts that took `seconds` of wall time in all."""
    counts = Counter((pb.Verdict.Status.Name(v.status), reason(v)) for v in verdicts)
    order = dict(pb.Verdict.Status.items())
    rewards = [v.reward for v in verdicts if v.HasField("reward")]
    return Summary(
        items=len(verdicts),
        counts=sorted(counts.items(), key=lambda entry: (order[entry[0][0]], -entry[1])),
        rewarded=len(rewards),
        mean_reward=sum(rewards) / len(rewards) if rewards else None,
        items_per_second=len(verdicts) / seconds if seconds > 0 else 0.0,
    )


def reason(verdict: pb.Verdict) -> str:
    """The reason of a verdict's first part; empty when it has none."""
    return pb.Part.Reason.Name(verdict.parts[0].reason) if verdict.parts else ""


def merge(
    read: Sequence[pb.Item | BadLine], verdicts: Mapping[int, pb.Verdict]
) -> list[pb.Verdict | None]:
    """Verdicts in the order of the lines; a bad line's says what is wrong with it.

    `verdicts` are by place among the items alone; None stands for an item that
    got none.
    """
    merged: list[pb.Verdict | None] = []
    place = 0
    for line in read:
        if isinstance(line, BadLine):
            evidence = pb.Evidence(message=line.message)
            name = line.id or f"line {line.number}"
            merged.append(pb.Verdict(id=name, status=pb.Verdict.INVALID, evidence=evidence))
        else:
            merged.append(verdicts.get(place))
            place += 1
    return merged
