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
from trainer.collect import Group, lacks_rivals
from trainer.log import RolloutRow
from trainer.monitor import PREFERENCE
from verifier.client import Item, Verdict
from verifier.v1.verifier_pb2 import JudgeTask, Part

ACCURACY = "accuracy"
"""The name of every task's own part."""

RIGHT = frozenset({Part.match, Part.accepted, Part.followed})
NO_ANSWER = frozenset({Part.no_answer, Part.no_program, Part.nothing_to_judge})
WRONG = NO_ANSWER | {
    Part.no_match, Part.wrong_answer, Part.cpu_limit, Part.wall_limit, Part.memory_limit,
    Part.output_limit, Part.runtime_error, Part.compile_error, Part.not_run, Part.not_followed,
    Part.master_key,
}  # fmt: skip
"""What a reason says whatever score a recipe gives it."""


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
        parts = [self] * ranks
        if ranks > 1:
            dist.all_gather_object(parts, self, group=group)
        whole = Figures()
        for part in parts:
            for name, total in part.sums.items():
                whole.add(name, total, part.counts[name])
            for name, value in part.maxima.items():
                whole.most(name, value)
        means = {n: total / whole.counts[n] for n, total in whole.sums.items() if whole.counts[n]}
        return means | whole.maxima


def accuracy(verdict: Verdict) -> float | None:
    """Whether the task's own part is right, 1 or 0 by its reason; where that says neither (a
    judge's), its score. None without a reward or without such a part."""
    part = next((part for part in verdict.parts if part.name == ACCURACY), None)
    if part is None or not verdict.HasField("reward"):
        return None
    if part.reason in RIGHT or part.reason in WRONG:
        return float(part.reason in RIGHT)
    return part.score if part.HasField("score") else None


def is_preference(item: Item, part: Part) -> bool:
    """Whether a part says what a model likes, and no rule or reference. Of responses that are
    compared with each other it says nothing: their mean is always the same."""
    if part.name == "reward_model":
        return True
    liked = item.HasField("judge") and item.judge.mode != JudgeTask.REFERENCE
    compared = item.HasField("preference") and not lacks_rivals(item)
    return part.name == ACCURACY and (liked or compared)


def describe_groups(
    figures: Figures,
    groups: Sequence[Group],
    advantages: Advantages,
    patterns: Mapping[str, re.Pattern[str]],
) -> None:
    """What can be said of the completions and their verdicts."""
    for group in groups:
        for completion, response, verdict in group.each():
            scored = verdict.HasField("reward")
            figures.add("reward/failed_share", 0.0 if scored else 1.0)
            if scored:
                figures.add("reward/mean", verdict.reward)
                if (right := accuracy(verdict)) is not None:
                    figures.add("reward/accuracy", right)
                for part in verdict.parts:
                    figures.add(f"reward/part/{part.name}", part.score)
                    if is_preference(group.prompt.item, part):
                        figures.add(PREFERENCE, part.score)
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


def majority(verdicts: Sequence[Verdict]) -> float | None:
    """Accuracy of the answer that most samples give; of equals, the one given first. None for a
    task that has no answers to count (instructions), and where no sample has an accuracy."""
    scored = [(v, right) for v in verdicts if (right := accuracy(v)) is not None]
    votes = Counter(v.extracted for v, _ in scored if v.extracted)
    if not votes:
        wanted = any(part.reason in NO_ANSWER for v, _ in scored for part in v.parts)
        return 0.0 if wanted else None
    winner = votes.most_common(1)[0][0]
    return max(right for v, right in scored if v.extracted == winner)


def rollout_rows(step: int, groups: Sequence[Group], advantages: Advantages) -> list[RolloutRow]:
    """One row for each completion."""
    return [
        RolloutRow(
            step=step,
            prompt_id=group.prompt.id,
            group=place,
            sample=number,
            prompt=group.prompt.text,
            response=response,
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
        for number, (completion, response, verdict) in enumerate(group.each())
    ]


def _reason(part: Part) -> str:
    return Part.Reason.Name(part.reason)
