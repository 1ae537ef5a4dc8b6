"""Figures of a step: sums that add up over micro-batches, mini-batches and ranks."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch.distributed as dist
from torch import Tensor

from trainer.advantages import Advantages
from trainer.collect import Group
from trainer.log import RolloutRow
from verifier.client import Verdict
from verifier.v1.verifier_pb2 import Part

ACCURACY = "accuracy"
"""The name of every task's own part."""


@dataclass
class Figures:
    """Means by (sum, count), and maxima, by name."""

    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, float] = field(default_factory=dict)
    maxima: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, total: float, count: float = 1) -> None:
        """`count` more values that add up to `total`."""
        self.sums[name] = self.sums.get(name, 0.0) + total
        self.counts[name] = self.counts.get(name, 0.0) + count

    def add_all(
        self, metrics: Mapping[str, tuple[Tensor, int]], maxima: Mapping[str, Tensor]
    ) -> None:
        """What a loss returns."""
        for name, (total, count) in metrics.items():
            self.add(name, float(total), count)
        for name, value in maxima.items():
            self.most(name, float(value))

    def most(self, name: str, value: float) -> None:
        """One more value of which the largest is kept."""
        self.maxima[name] = max(self.maxima.get(name, value), value)

    def merged(self, group: dist.ProcessGroup | None, ranks: int) -> dict[str, float]:
        """Over the ranks of a group: means and maxima by name. Collective."""
        parts = [(self.sums, self.counts, self.maxima)]
        if ranks > 1:
            parts *= ranks
            dist.all_gather_object(parts, (self.sums, self.counts, self.maxima), group=group)
        whole = Figures()
        for sums, counts, maxima in parts:
            for name, total in sums.items():
                whole.add(name, total, counts[name])
            for name, value in maxima.items():
                whole.most(name, value)
        means = {n: total / whole.counts[n] for n, total in whole.sums.items() if whole.counts[n]}
        return means | whole.maxima


def accuracy(verdict: Verdict) -> float:
    """The score of the task's own part; 0 where there is none."""
    return next((part.score for part in verdict.parts if part.name == ACCURACY), 0.0)


def describe_groups(
    figures: Figures,
    groups: Sequence[Group],
    advantages: Advantages,
    patterns: Mapping[str, re.Pattern[str]],
) -> None:
    """What can be said of the completions and their verdicts."""
    for group in groups:
        for completion, response, verdict in zip(
            group.completions, group.responses, group.verdicts, strict=True
        ):
            scored = verdict.HasField("reward")
            figures.add("reward/failed_share", 0.0 if scored else 1.0)
            if scored:
                figures.add("reward/mean", verdict.reward)
                figures.add("reward/accuracy", accuracy(verdict))
                for part in verdict.parts:
                    figures.add(f"reward/part/{part.name}", part.score)
            figures.add("length/mean", len(completion.ids))
            figures.most("length/max", len(completion.ids))
            figures.add("length/clipped_share", float(completion.finish == "length"))
            for name, pattern in patterns.items():
                figures.add(f"text/{name}", float(pattern.search(response) is not None))
    for flat in advantages.zero_variance.tolist():
        figures.add("reward/zero_variance_groups", float(flat))


def describe_mismatch(figures: Figures, trained: Tensor, sampled: Tensor) -> None:
    """How far the engine's log-probabilities [N] are from the trainer's under the same weights
    (under older ones where rollouts are stale)."""
    gap = trained - sampled
    figures.add("mismatch/logprob_abs_median", float(gap.abs().median()))
    figures.most("mismatch/logprob_abs_max", float(gap.abs().max()))
    figures.add("mismatch/kl", float((gap.exp() - 1 - gap).mean()))


def majority(verdicts: Sequence[Verdict]) -> float:
    """Accuracy of the answer that most samples give; of equals, the one given first."""
    votes = Counter(v.extracted for v in verdicts if v.extracted)
    if not votes:
        return 0.0
    winner = votes.most_common(1)[0][0]
    return max(accuracy(v) for v in verdicts if v.extracted == winner)


def rollout_rows(step: int, groups: Sequence[Group], advantages: Advantages) -> list[RolloutRow]:
    """One row for each completion."""
    return [
        RolloutRow(
            step=step,
            prompt_id=group.prompt.id,
            group=place,
            sample=number,
            prompt=group.prompt.text,
            response=group.responses[number],
            tokens=len(completion.ids),
            finish=completion.finish,
            version=completion.spans[0].version,
            reward=verdict.reward if verdict.HasField("reward") else None,
            advantage=float(advantages.values[place, number])
            if bool(advantages.keep[place, number])
            else None,
            status=Verdict.Status.Name(verdict.status),
            reason=_reason(verdict.parts[0]) if verdict.parts else "",
            parts_json=json.dumps(
                [
                    {"name": p.name, "score": p.score, "weight": p.weight, "reason": _reason(p)}
                    for p in verdict.parts
                ]
            ),
        )
        for place, group in enumerate(groups)
        for number, (completion, verdict) in enumerate(
            zip(group.completions, group.verdicts, strict=True)
        )
    ]


def _reason(part: Part) -> str:
    return Part.Reason.Name(part.reason)
