"""From the rewards of a group of samples to one advantage each: pure functions, no model.

A sample without a valid reward (the verifier failed, or never answered) takes no part: it is left
out of its group's mean and standard deviation, and gets no advantage. A group with fewer than two
valid rewards has nothing to compare, so all of it is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Kind = Literal["grpo", "dr_grpo", "rloo"]


@dataclass(frozen=True)
class AdvantageSettings:
    """How a reward is compared with those of its group."""

    kind: Kind = "grpo"
    """`grpo`: (r - mean) / (std + std_eps), DeepSeek-R1 (arXiv 2501.12948v2) eq. 3.
    `dr_grpo`: r - mean, without the division that favours very easy and very hard questions
    (arXiv 2503.20783). `rloo`: r - mean of the *other* valid rewards (arXiv 2402.14740)."""
    ddof: Literal[0, 1] = 1
    """Delta degrees of freedom of the standard deviation: it divides by n - ddof, n being the valid
    rewards of the group. The paper is silent; 1 is what most trainers do (torch.std). At n = 16 an
    advantage is 3 % smaller than with 0."""
    std_eps: float = 1e-6
    """Added to the standard deviation. The paper has none; it keeps rewards that differ by rounding
    alone from becoming advantages of +-1."""
    dynamic_sampling: bool = False
    """Leaves out groups whose valid rewards are all equal (DAPO, arXiv 2503.14476, eq. 11); the
    caller samples others in their place. Off: they stay, with advantages of zero."""

    def __post_init__(self) -> None:
        if self.kind not in ("grpo", "dr_grpo", "rloo"):
            raise ValueError(f"kind: grpo, dr_grpo or rloo, not {self.kind!r}")
        if self.ddof not in (0, 1):
            raise ValueError(f"ddof: 0 or 1, not {self.ddof!r}")
        if not 0 <= self.std_eps < float("inf"):
            raise ValueError(f"std_eps: a finite number of at least 0, not {self.std_eps!r}")


@dataclass(frozen=True)
class Advantages:
    """What `group_advantages` says about B groups of G samples."""

    values: Tensor
    """[B, G], in the rewards' type: the advantages; 0 where `keep` is false."""
    keep: Tensor
    """[B, G] bool: the sample takes part in the loss."""
    zero_variance: Tensor
    """[B] bool: two or more valid rewards, all of them equal: nothing to learn from."""


def group_advantages(
    rewards: Tensor,
    counts: Tensor,
    settings: AdvantageSettings,
    *,
    truncated: Tensor | None = None,
) -> Advantages:
    """Advantages of B groups of G samples.

    Args:
        rewards: [B, G], floating; entries where `counts` is false may hold anything, NaN too.
        counts: [B, G] bool, whether the reward is valid.
        settings: see `AdvantageSettings`.
        truncated: [B, G] bool or None: samples cut off at the length limit. They stay in their
            group's statistics, and out of the loss (DAPO's overlong filtering). To take them out of
            the statistics too, clear them in `counts`.

    Raises:
        ValueError: shapes that do not agree, types, or a valid reward that is not finite.
    """
    _check(rewards, counts, truncated)
    # Rewards are few, and means of equal numbers should be those numbers: float64 throughout.
    valid = counts.double()
    r = torch.where(counts, rewards.double(), 0.0)
    n = valid.sum(1, keepdim=True)
    comparable, varied = n >= 2, varied_groups(rewards, counts)
    mean = r.sum(1, keepdim=True) / n.clamp(min=1)
    # A group of equal rewards is exactly zero, whatever the rounding of its mean.
    centred = torch.where(counts & varied[:, None], r - mean, 0.0)
    match settings.kind:
        case "grpo":
            variance = centred.square().sum(1, keepdim=True) / (n - settings.ddof).clamp(min=1)
            spread = variance.sqrt() + settings.std_eps
            values = centred / torch.where(spread > 0, spread, 1.0)
        case "dr_grpo":
            values = centred
        case "rloo":  # r_i - (sum - r_i) / (n - 1) = (r_i - mean) n / (n - 1)
            values = centred * n / (n - 1).clamp(min=1)
    keep = counts & comparable
    if settings.dynamic_sampling:
        keep = keep & varied[:, None]
    if truncated is not None:
        keep = keep & ~truncated
    values = torch.where(keep, values, 0.0).to(rewards.dtype)
    return Advantages(values, keep, comparable.squeeze(1) & ~varied)


def varied_groups(scores: Tensor, counts: Tensor) -> Tensor:
    """[B] bool: the group has two valid scores that differ ([B, G], `counts` as above).

    Dynamic sampling as DAPO prints it looks at correctness, not at the shaped reward: give it
    the accuracies for that.
    """
    infinity = float("inf")
    highest = torch.where(counts, scores, -infinity).amax(1)
    return highest > torch.where(counts, scores, infinity).amin(1)


def overlong_penalty(lengths: Tensor, soft_limit: int, hard_limit: int) -> Tensor:
    """DAPO's soft punishment, to be added to the reward (arXiv 2503.14476, eq. 13).

    Args:
        lengths: any shape, response lengths in tokens.
        soft_limit: the longest response without punishment, L_max - L_cache.
        hard_limit: from this length on the punishment is -1, L_max.

    Returns:
        float32, the shape of `lengths`: 0, falling linearly to -1 between the limits.
    """
    if not 0 <= soft_limit < hard_limit:
        raise ValueError(f"soft_limit: at least 0 and below hard_limit {hard_limit}: {soft_limit}")
    if bool((lengths < 0).any()):
        raise ValueError(f"lengths: at least 0, not {int(lengths.min())}")
    return ((soft_limit - lengths.float()) / (hard_limit - soft_limit)).clamp(-1.0, 0.0)


def _check(rewards: Tensor, counts: Tensor, truncated: Tensor | None) -> None:
    if rewards.dim() != 2 or not rewards.is_floating_point():
        raise ValueError(
            f"rewards: floating [groups, samples], not {rewards.dtype} {list(rewards.shape)}"
        )
    for name, mask in (("counts", counts), ("truncated", truncated)):
        if mask is not None and (mask.shape != rewards.shape or mask.dtype != torch.bool):
            raise ValueError(
                f"{name}: bool {list(rewards.shape)} like rewards, "
                f"not {mask.dtype} {list(mask.shape)}"
            )
    bad = counts & ~rewards.isfinite()
    if bool(bad.any()):
        group, sample = bad.nonzero()[0].tolist()
        raise ValueError(
            f"rewards[{group}, {sample}]: counted as valid, but {rewards[group, sample].item()}"
        )
