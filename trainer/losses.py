"""Policy-gradient losses over the flat completion tokens of a micro-batch: one pure function.

What the published algorithms differ in is three choices: the *ratio* (of a token, of a whole
sequence, of its geometric mean), the *objective* made of it (clipped, or the clipped ratio as a
weight), and the *aggregate* (how terms become one number). `PRESETS` names their combinations.

Invariant: every sum is divided by `Totals`, which are those of the whole mini-batch, over all
ranks and micro-batches. So the losses of the parts of a mini-batch, and their gradients, add up to
those of the whole, however it was cut; a sequence is never cut itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class LossInput:
    """N completion tokens of S sequences, flat, in any order, without the prompts'; natural
    log-probabilities of the tokens that were sampled, at the sampling temperature."""

    logprobs: Tensor
    """[N], of the policy that is being updated; carries the gradient."""
    old_logprobs: Tensor
    """[N], of the trainer's policy as it was at the rollout."""
    advantages: Tensor
    """[S], one for each sequence."""
    sequence: Tensor
    """[N] int64, the row in `advantages` of each token's sequence; no row without tokens."""
    reference_logprobs: Tensor | None = None
    """[N], of the reference policy; needed by a `kl_coef` other than 0."""
    rollout_logprobs: Tensor | None = None
    """[N], as the rollout engine sampled them; needed by `tis_cap`."""
    entropy: Tensor | None = None
    """[N], of the policy's distribution, nats; needed, with gradient, by `entropy_coef`."""


@dataclass(frozen=True)
class Totals:
    """Of the whole mini-batch, over all ranks and micro-batches: what sums are divided by."""

    tokens: int
    """Completion tokens."""
    sequences: int
    """Sequences with at least one of them."""
    max_tokens: int
    """The longest completion that was allowed: Dr.GRPO's constant."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 1:
                raise ValueError(
                    f"totals.{field.name}: at least 1, not {getattr(self, field.name)}"
                )


@dataclass(frozen=True)
class LossSettings:
    """Which loss. The defaults are DeepSeekMath's GRPO without the KL term."""

    ratio: Literal["token", "sequence", "sequence_mean"] = "token"
    """What policy is compared with old policy: a token's probability, a sequence's (R1 v2 eq. 1:
    the sum of log ratios), or the geometric mean over a sequence's tokens (GSPO eq. 7)."""
    objective: Literal["clip", "cispo"] = "clip"
    """`clip`: -min(ratio A, clip(ratio) A), whose gradient vanishes where the clip acts.
    `cispo`: -stop_gradient(clip(ratio)) A log pi, whose gradient never does (MiniMax-M1 eq. 4)."""
    clip_low: float = 0.2
    """The ratio is clipped below at 1 - clip_low. 1 or more: no bound, as ratios are positive."""
    clip_high: float = 0.2
    """The ratio is clipped above at 1 + clip_high; above clip_low it is DAPO's clip-higher.

    With the clip objective this bounds positive advantages alone: where A < 0 the minimum takes
    the larger ratio, whatever it is. R1's eps = 10 clips to [-9, 11], so it acts on A > 0 above a
    ratio of 11 and nowhere else; `dual_clip` bounds the other side."""
    dual_clip: float | None = None
    """Where A < 0, the term is at most dual_clip * |A| (arXiv 1912.09729, eq. 5); above 1.
    Used by the clip objective."""
    log_ratio_max: float = 20.0
    """Log ratios above this are taken as this, with no gradient, before they are exponentiated:
    e^20 = 5e8 is no statistic any more, and float32 overflows at e^88."""
    aggregate: Literal["sequence_mean", "token_mean", "constant", "sequence_sum"] = "sequence_mean"
    """Over the tokens t of the sequences i of a mini-batch:
    `sequence_mean`: 1/S sum_i 1/|o_i| sum_t (DeepSeekMath). `token_mean`: 1/sum|o_i| sum_i sum_t
    (DAPO, over the mini-batch). `constant`: 1/(S max_tokens) sum_i sum_t (Dr.GRPO).
    `sequence_sum`: 1/S sum_i sum_t. A term of a whole sequence (`ratio`, `kl_level`) counts once
    in `sequence_mean` and `sequence_sum`, and once for each of its tokens in the other two."""
    kl_coef: float = 0.0
    """Weight of the divergence from the reference policy."""
    kl: Literal["k1", "k2", "k3"] = "k3"
    """Its estimator, with d = log pi_ref - log pi: -d, d^2 / 2, or e^d - d - 1 (R1 v2 eq. 2)."""
    kl_level: Literal["token", "sequence"] = "token"
    """Whether d is of a token or of a whole sequence, as R1 v2 prints it."""
    entropy_coef: float = 0.0
    """Weight of the entropy bonus."""
    tis_cap: float | None = None
    """Truncated importance sampling: weighs the policy term by min(pi_old / pi_rollout, tis_cap),
    at the level of `ratio`, for what engine and trainer compute differently. None: no weight."""

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"{name}: one of {', '.join(choices)}, not {getattr(self, name)!r}"
                )
        for name in ("clip_low", "clip_high", "kl_coef", "entropy_coef"):
            _in_range(name, getattr(self, name), 0.0)
        _in_range("log_ratio_max", self.log_ratio_max, 0.0, 80.0)
        if self.dual_clip is not None:
            _in_range("dual_clip", self.dual_clip, 1.0)
            if self.objective != "clip":
                raise ValueError(f"dual_clip: has no place in objective {self.objective!r}")
        if self.tis_cap is not None:
            _in_range("tis_cap", self.tis_cap, 0.0)


_CHOICES = {
    "ratio": ("token", "sequence", "sequence_mean"),
    "objective": ("clip", "cispo"),
    "aggregate": ("sequence_mean", "token_mean", "constant", "sequence_sum"),
    "kl": ("k1", "k2", "k3"),
    "kl_level": ("token", "sequence"),
}


def _in_range(name: str, value: float, low: float, high: float = float("inf")) -> None:
    if not (low <= value <= high and value < float("inf")):
        limit = f"from {low:g} to {high:g}" if high < float("inf") else f"finite, at least {low:g}"
        raise ValueError(f"{name}: {limit}, not {value!r}")


PRESETS: Mapping[str, LossSettings] = MappingProxyType(
    {
        # DeepSeek-R1, arXiv 2501.12948v2, eq. 1-2 as printed, with its eps = 10 and KL 0.001.
        "r1": LossSettings(
            ratio="sequence",
            clip_low=10.0,
            clip_high=10.0,
            aggregate="sequence_sum",
            kl_coef=0.001,
            kl_level="sequence",
        ),
        # DeepSeekMath, arXiv 2402.03300, eq. 3-4, KL 0.04; eps is not printed, 0.2 is usual.
        "grpo": LossSettings(kl_coef=0.04),
        # DAPO, arXiv 2503.14476, eq. 8 and section 4.1.
        "dapo": LossSettings(clip_high=0.28, aggregate="token_mean"),
        # Dr.GRPO, arXiv 2503.20783; its advantage is `dr_grpo`.
        "dr_grpo": LossSettings(aggregate="constant"),
        # GSPO, arXiv 2507.18071, eq. 5-7 and section 5.1.
        "gspo": LossSettings(ratio="sequence_mean", clip_low=3e-4, clip_high=4e-4),
        # CISPO, arXiv 2506.13585, eq. 4: no lower bound; the upper one is not printed there, and
        # insensitive between 4 and 8 (arXiv 2510.13786).
        "cispo": LossSettings(
            objective="cispo", clip_low=1.0, clip_high=4.0, aggregate="token_mean"
        ),
    }
)
"""The losses as published, by name. The KL term, where a paper has one, is at its value."""


@dataclass(frozen=True)
class LossOutput:
    """The loss of one micro-batch, as its share of the mini-batch's."""

    loss: Tensor
    """Scalar; the parts of a mini-batch are summed, never averaged."""
    metrics: dict[str, tuple[Tensor, int]]
    """Name -> (sum, count), detached: added up over parts, then divided.

    `policy/clip_share`: terms whose gradient the clip stops (clip), or whose weight it bounds
    (cispo). `policy/kl`: k3 of each token to the reference, whatever `kl` is. `policy/entropy`.
    `mismatch/truncated_share`: terms whose weight `tis_cap` bounds."""
    maxima: dict[str, Tensor]
    """Name -> largest value, detached: `policy/ratio_max`."""


def policy_loss(inputs: LossInput, settings: LossSettings, totals: Totals) -> LossOutput:
    """The loss to be minimised, of one micro-batch of a mini-batch.

    loss = sum of policy terms + kl_coef * divergence terms - entropy_coef * entropies, each
    weighed by `settings.aggregate`. An empty micro-batch (N = S = 0) gives 0.

    Raises:
        ValueError: naming the field: shapes that do not agree, a sequence without tokens, what the
            settings need and is not there, a value that is NaN or infinite.
    """
    lengths = _checked_lengths(inputs, settings)
    per_token, per_sequence = _weights(inputs, lengths, settings, totals)

    def of_sequences(x: Tensor) -> Tensor:
        return x.new_zeros(len(lengths)).index_add(0, inputs.sequence, x)

    def level(x: Tensor) -> Tensor:
        if settings.ratio == "token":
            return x
        return of_sequences(x) / lengths if settings.ratio == "sequence_mean" else of_sequences(x)

    weights, advantages = per_sequence, inputs.advantages
    if settings.ratio == "token":
        weights, advantages = per_token, inputs.advantages[inputs.sequence]
    ratio = _bounded_exp(level(inputs.logprobs - inputs.old_logprobs), settings)
    policy, clipped = _objective(ratio, level(inputs.logprobs), advantages, settings)
    metrics = {"policy/clip_share": (clipped.sum(), clipped.numel())}
    if settings.tis_cap is not None and inputs.rollout_logprobs is not None:
        drift = _bounded_exp(level(inputs.old_logprobs - inputs.rollout_logprobs), settings)
        policy = policy * drift.clamp(max=settings.tis_cap)
        metrics["mismatch/truncated_share"] = ((drift > settings.tis_cap).sum(), drift.numel())
    loss = (weights * policy).sum()

    if inputs.reference_logprobs is not None:
        gap = inputs.reference_logprobs - inputs.logprobs
        if settings.kl_coef:
            each = (per_token, gap)
            if settings.kl_level == "sequence":
                each = (per_sequence, of_sequences(gap))
            loss = loss + settings.kl_coef * (each[0] * _divergence(each[1], settings)).sum()
        k3 = _bounded_exp(gap.detach(), settings) - gap.detach() - 1
        metrics["policy/kl"] = (k3.sum(), k3.numel())
    if inputs.entropy is not None:
        if settings.entropy_coef:
            loss = loss - settings.entropy_coef * (per_token * inputs.entropy).sum()
        metrics["policy/entropy"] = (inputs.entropy.detach().sum(), inputs.entropy.numel())
    largest = ratio.detach().max() if ratio.numel() else ratio.new_zeros(())
    return LossOutput(loss, metrics, {"policy/ratio_max": largest})


def _objective(
    ratio: Tensor, logprobs: Tensor, advantages: Tensor, settings: LossSettings
) -> tuple[Tensor, Tensor]:
    """Each term, to be minimised, and whether the clip acted on it."""
    low, high = 1 - settings.clip_low, 1 + settings.clip_high
    bounded = ratio.clamp(low, high)
    if settings.objective == "cispo":
        return -(bounded.detach() * advantages * logprobs), (ratio < low) | (ratio > high)
    terms = torch.maximum(-ratio * advantages, -bounded * advantages)
    clipped = ((advantages > 0) & (ratio > high)) | ((advantages < 0) & (ratio < low))
    if settings.dual_clip is not None:
        negative = advantages < 0
        terms = torch.where(negative, torch.minimum(terms, -settings.dual_clip * advantages), terms)
        clipped = clipped | (negative & (ratio > settings.dual_clip))
    return terms, clipped


def _bounded_exp(log_ratio: Tensor, settings: LossSettings) -> Tensor:
    # Only from above: e^x of a very negative x is 0, and so is its gradient.
    return log_ratio.clamp(max=settings.log_ratio_max).exp()


def _divergence(gap: Tensor, settings: LossSettings) -> Tensor:
    """Estimates of KL(policy || reference) from d = log pi_ref - log pi."""
    match settings.kl:
        case "k1":
            return -gap
        case "k2":
            return gap.square() / 2
    # Bounded as a whole: with e^d alone bounded, -d would go on pulling d up, the wrong way.
    gap = gap.clamp(max=settings.log_ratio_max)
    return gap.exp() - gap - 1


def _weights(
    inputs: LossInput, lengths: Tensor, settings: LossSettings, totals: Totals
) -> tuple[Tensor, Tensor]:
    """What a token's [N] and a sequence's [S] terms are multiplied by."""
    ones = torch.ones_like(inputs.old_logprobs)
    match settings.aggregate:
        case "sequence_mean":
            token = 1 / (lengths.to(ones.dtype) * totals.sequences)[inputs.sequence]
        case "sequence_sum":
            token = ones / totals.sequences
        case "token_mean":
            token = ones / totals.tokens
        case "constant":
            token = ones / (totals.sequences * totals.max_tokens)
    if settings.aggregate in ("sequence_mean", "sequence_sum"):
        return token, torch.ones_like(inputs.advantages) / totals.sequences
    return token, ones.new_zeros(len(lengths)).index_add(0, inputs.sequence, token)


def _checked_lengths(inputs: LossInput, settings: LossSettings) -> Tensor:
    """[S], the tokens of each sequence."""
    needed = {
        "reference_logprobs": settings.kl_coef and "kl_coef",
        "rollout_logprobs": settings.tis_cap is not None and "tis_cap",
        "entropy": settings.entropy_coef and "entropy_coef",
    }
    for name, setting in needed.items():
        if setting and getattr(inputs, name) is None:
            raise ValueError(
                f"{name}: needed by {setting} = {getattr(settings, setting)}, got None"
            )
    for field in fields(inputs):
        value: Tensor | None = getattr(inputs, field.name)
        if value is None:
            continue
        wanted = inputs.advantages if field.name == "advantages" else inputs.logprobs
        if value.dim() != 1 or value.shape != wanted.shape:
            raise ValueError(
                f"{field.name}: flat, and as long as logprobs ({len(inputs.logprobs)}), "
                f"not {list(value.shape)}"
            )
        if value.is_floating_point() and not bool(value.isfinite().all()):
            row = int((~value.isfinite()).nonzero()[0])
            raise ValueError(f"{field.name}[{row}]: a finite number, not {value[row].item()}")
    sequence = inputs.sequence
    if sequence.dtype != torch.int64:
        raise ValueError(f"sequence: int64, not {sequence.dtype}")
    rows = len(inputs.advantages)
    if bool(((sequence < 0) | (sequence >= rows)).any()):
        low, high = int(sequence.min()), int(sequence.max())
        raise ValueError(f"sequence: rows from 0 to {rows - 1}, not {low} to {high}")
    lengths = torch.bincount(sequence, minlength=rows)
    if not bool(lengths.all()):
        raise ValueError(f"sequence: row {int(lengths.argmin())} has no tokens")
    return lengths
