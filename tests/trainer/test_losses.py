"""Losses: hand-computed examples, plain-Python references in float64, finite differences."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass, replace

import pytest
import torch

from trainer.losses import PRESETS, LossInput, LossSettings, Totals, policy_loss

log, exp = math.log, math.exp


@dataclass(frozen=True)
class Sample:
    """One sequence in plain Python."""

    advantage: float
    new: list[float]
    old: list[float]
    reference: list[float]
    rollout: list[float]
    entropy: list[float]


def flat(samples, *, optional=True, dtype=torch.float64):
    def tensor(name):
        return torch.tensor([x for s in samples for x in getattr(s, name)], dtype=dtype)

    return LossInput(
        logprobs=tensor("new").requires_grad_(),
        old_logprobs=tensor("old"),
        advantages=torch.tensor([s.advantage for s in samples], dtype=dtype),
        sequence=torch.tensor([i for i, s in enumerate(samples) for _ in s.new], dtype=torch.int64),
        reference_logprobs=tensor("reference") if optional else None,
        rollout_logprobs=tensor("rollout") if optional else None,
        entropy=tensor("entropy").requires_grad_() if optional else None,
    )


def totals_of(samples, max_tokens=16):
    return Totals(sum(len(s.new) for s in samples), len(samples), max_tokens)


def make_sample(rng, drift=0.4):
    n = rng.randint(1, 6)
    new = [rng.uniform(-3, -0.1) for _ in range(n)]
    near = [[x + rng.gauss(0, drift) for x in new] for _ in range(3)]
    return Sample(rng.gauss(0, 1.5), new, *near, [rng.uniform(0, 2) for _ in range(n)])


def make_samples(seed, count=5, drift=0.4):
    rng = random.Random(seed)
    return [make_sample(rng, drift) for _ in range(count)]


def loss_of(samples, settings, totals=None):
    return policy_loss(flat(samples), settings, totals or totals_of(samples))


# ---- the reference: the published sums, written out in loops ---------------------


def reference_loss(samples, s, totals, at=None):
    """`at` holds the samples at which CISPO's weights are taken, since they have no gradient."""
    whole = s.ratio != "token"
    total = 0.0
    for sample, fixed in zip(samples, at or samples, strict=True):
        n, advantage = len(sample.new), sample.advantage
        token_weight = {
            "sequence_mean": 1 / (n * totals.sequences),
            "sequence_sum": 1 / totals.sequences,
            "token_mean": 1 / totals.tokens,
            "constant": 1 / (totals.sequences * totals.max_tokens),
        }[s.aggregate]
        once = s.aggregate in ("sequence_mean", "sequence_sum")
        sequence_weight = 1 / totals.sequences if once else n * token_weight

        def reduced(a, b, s=s, n=n):  # log of a's probability over b's, at the level of the ratio
            differences = [x - y for x, y in zip(a, b, strict=True)]
            if s.ratio == "token":
                return differences
            return [sum(differences) / (n if s.ratio == "sequence_mean" else 1)]

        zeros = [0.0] * n
        steps = reduced(sample.new, sample.old)
        fixed_steps = reduced(fixed.new, fixed.old)
        scores = reduced(sample.new, zeros)
        drifts = reduced(sample.old, sample.rollout)
        for step, fixed_step, score, drift in zip(steps, fixed_steps, scores, drifts, strict=True):
            ratio = exp(step)
            if s.objective == "cispo":
                weight = min(max(exp(fixed_step), 1 - s.clip_low), 1 + s.clip_high)
                gain = weight * advantage * score
            else:
                clipped = min(max(ratio, 1 - s.clip_low), 1 + s.clip_high)
                gain = min(ratio * advantage, clipped * advantage)
                if s.dual_clip is not None and advantage < 0:
                    gain = max(gain, s.dual_clip * advantage)
            if s.tis_cap is not None:
                gain *= min(exp(drift), s.tis_cap)
            total -= gain * (sequence_weight if whole else token_weight)

        gaps = [r - x for r, x in zip(sample.reference, sample.new, strict=True)]
        if s.kl_level == "sequence":
            gaps, weight = [sum(gaps)], sequence_weight
        else:
            weight = token_weight
        for d in gaps:
            k = {"k1": -d, "k2": d * d / 2, "k3": exp(d) - d - 1}[s.kl]
            total += s.kl_coef * k * weight
        total -= s.entropy_coef * sum(sample.entropy) * token_weight
    return total


EVERYTHING = [
    LossSettings(
        ratio=ratio,
        objective=objective,
        aggregate=aggregate,
        clip_low=0.2,
        clip_high=0.3,
        dual_clip=1.6 if objective == "clip" and level == "token" else None,
        kl=kl,
        kl_level=level,
        kl_coef=0.3,
        entropy_coef=0.1,
        tis_cap=1.1,
    )
    for ratio, objective, aggregate, (kl, level) in itertools.product(
        ("token", "sequence", "sequence_mean"),
        ("clip", "cispo"),
        ("sequence_mean", "token_mean", "constant", "sequence_sum"),
        (("k1", "token"), ("k2", "sequence"), ("k3", "token"), ("k3", "sequence")),
    )
] + list(PRESETS.values())


@pytest.mark.parametrize("settings", EVERYTHING, ids=str)
def test_value_gradient_and_additivity(settings):
    samples = make_samples(seed=7)
    totals = totals_of(samples)
    inputs = flat(samples)
    found = policy_loss(inputs, settings, totals)
    expected = reference_loss(samples, settings, totals)
    assert found.loss.item() == pytest.approx(expected, rel=1e-12, abs=1e-13)

    # The gradient, by central differences of the reference.
    found.loss.backward()
    position, h = 0, 1e-6
    for row, sample in enumerate(samples):
        for t in range(len(sample.new)):
            assert not at_a_kink(sample, t, settings), "choose another seed"
            sides = []
            for step in (h, -h):
                new = [x + step * (i == t) for i, x in enumerate(sample.new)]
                moved = [*samples[:row], replace(sample, new=new), *samples[row + 1 :]]
                sides.append(reference_loss(moved, settings, totals, at=samples))
            numeric = (sides[0] - sides[1]) / (2 * h)
            assert inputs.logprobs.grad[position].item() == pytest.approx(
                numeric, rel=1e-6, abs=1e-8
            )
            position += 1
    if settings.entropy_coef:
        bonus = expected - reference_loss(samples, replace(settings, entropy_coef=0.0), totals)
        assert (inputs.entropy.grad * inputs.entropy).sum().item() == pytest.approx(
            bonus, rel=1e-12
        )

    # The parts' losses and gradients add up to those of the whole.
    parts = [flat(samples[:1]), flat(samples[1:4]), flat(samples[4:])]
    outputs = [policy_loss(part, settings, totals) for part in parts]
    for output in outputs:
        output.loss.backward()
    assert sum(o.loss.item() for o in outputs) == pytest.approx(
        found.loss.item(), rel=1e-12, abs=1e-13
    )
    together = torch.cat([part.logprobs.grad for part in parts])
    assert torch.allclose(together, inputs.logprobs.grad, rtol=1e-12, atol=1e-14)
    for name, (value, count) in found.metrics.items():
        assert sum(o.metrics[name][0] for o in outputs).item() == pytest.approx(
            value.item(), rel=1e-12
        )
        assert sum(o.metrics[name][1] for o in outputs) == count
    assert max(o.maxima["policy/ratio_max"] for o in outputs) == found.maxima["policy/ratio_max"]


def at_a_kink(sample, t, s, near=1e-4):
    steps = [a - b for a, b in zip(sample.new, sample.old, strict=True)]
    if s.ratio == "token":
        step = steps[t]
    else:
        step = sum(steps) / (len(steps) if s.ratio == "sequence_mean" else 1)
    edges = [1 - s.clip_low, 1 + s.clip_high, s.dual_clip or 1e9]
    return any(abs(exp(step) - edge) < near for edge in edges)


def test_the_cases_above_reach_every_clip():
    """A finite-difference test of a clip that never acts would show nothing."""
    samples = make_samples(seed=7)
    ratios = [(s.advantage, exp(a - b)) for s in samples for a, b in zip(s.new, s.old, strict=True)]
    assert any(a > 0 and r > 1.3 for a, r in ratios)
    assert any(a < 0 and r < 0.8 for a, r in ratios)
    assert any(a < 0 and r > 1.6 for a, r in ratios)
    drifts = [exp(a - b) for s in samples for a, b in zip(s.old, s.rollout, strict=True)]
    assert min(drifts) < 1.1 < max(drifts)


# ---- by hand --------------------------------------------------------------------


def by_ratio(*sequences, old=-2.0):
    """Sequences of (advantage, ratios of its tokens)."""
    return [
        Sample(a, [old + log(r) for r in ratios], *[[old] * len(ratios)] * 3, [0.0] * len(ratios))
        for a, ratios in sequences
    ]


# A = +1 with ratios 1.5 and 0.9, A = -1 with ratio 0.5; clipped to [0.8, 1.2]:
# min(1.5, 1.2) = 1.2; min(0.9, 0.9) = 0.9; min(-0.5, -0.8) = -0.8.
TWO = by_ratio((1.0, [1.5, 0.9]), (-1.0, [0.5]))


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [
        ("sequence_mean", -((1.2 + 0.9) / 2 - 0.8) / 2),  # -0.125
        ("token_mean", -(1.2 + 0.9 - 0.8) / 3),  # -0.4333
        ("constant", -(1.2 + 0.9 - 0.8) / (2 * 16)),  # -0.040625, max_tokens 16
        ("sequence_sum", -(1.2 + 0.9 - 0.8) / 2),  # -0.65
    ],
)
def test_aggregates(aggregate, expected):
    found = loss_of(TWO, LossSettings(aggregate=aggregate))
    assert found.loss.item() == pytest.approx(expected, abs=1e-15)
    # The clip stopped 1.5 and 0.5, of three.
    clipped, of = found.metrics["policy/clip_share"]
    assert (clipped.item(), of) == (2, 3)
    assert found.maxima["policy/ratio_max"].item() == pytest.approx(1.5)


def test_deepseekmath_grpo_as_printed():
    # + 0.04 * k3 of each token, mean over its sequence; here ref / pi = 1 / ratio:
    # 1/1.5 - log(1/1.5) - 1 = 0.072132; 1/0.9 - log(1/0.9) - 1 = 0.005751; 2 - log 2 - 1 = 0.306853
    found = loss_of(TWO, PRESETS["grpo"])
    kl = ((1 / 1.5 + log(1.5) - 1 + 1 / 0.9 + log(0.9) - 1) / 2 + (2 - log(2) - 1)) / 2
    assert found.loss.item() == pytest.approx(-0.125 + 0.04 * kl, abs=1e-15)
    mean = found.metrics["policy/kl"][0].item() / found.metrics["policy/kl"][1]
    assert mean == pytest.approx((0.072132 + 0.005751 + 0.306853) / 3, abs=1e-6)


def test_clip_higher():
    # [0.8, 1.28]: 1.25 passes, 1.5 is 1.28; tokens: -(1.28 + 1.25) / 2
    found = loss_of(by_ratio((1.0, [1.5, 1.25])), PRESETS["dapo"])
    assert found.loss.item() == pytest.approx(-(1.28 + 1.25) / 2, abs=1e-15)


def test_dr_grpo_as_printed():
    # 1/G sum over sequences and tokens, over a constant: -(1.2 + 0.9 - 0.8) / (2 * 16)
    assert loss_of(TWO, PRESETS["dr_grpo"]).loss.item() == pytest.approx(-1.3 / 32, abs=1e-15)


def test_r1_as_printed():
    # Ratios of whole outputs: 1.5 * 0.9 = 1.35 and 0.5, far within [-9, 11]:
    # 1/2 (1.35 * 1 + 0.5 * -1) = 0.425
    # D of whole outputs, ref / pi = 1 / ratio: 1/1.35 + log 1.35 - 1 and 1/0.5 + log 0.5 - 1
    divergence = (1 / 1.35 + log(1.35) - 1 + 1 / 0.5 + log(0.5) - 1) / 2
    found = loss_of(TWO, PRESETS["r1"])
    assert found.loss.item() == pytest.approx(-(0.425 - 0.001 * divergence), abs=1e-15)
    assert found.metrics["policy/clip_share"][1] == 2, "one term for each sequence"


def test_eps_of_ten_bounds_positive_advantages_alone():
    r1 = replace(PRESETS["r1"], kl_coef=0.0)
    assert loss_of(by_ratio((1.0, [4.0, 5.0])), r1).loss.item() == pytest.approx(-11.0)  # 20 > 11
    assert loss_of(by_ratio((-1.0, [4.0, 5.0])), r1).loss.item() == pytest.approx(20.0)
    assert loss_of(by_ratio((-1.0, [0.001])), r1).loss.item() == pytest.approx(0.001)  # -9 < 0
    both = replace(r1, dual_clip=11.0)
    found = loss_of(by_ratio((-1.0, [4.0, 5.0])), both)
    assert found.loss.item() == pytest.approx(11.0)
    assert found.metrics["policy/clip_share"][0].item() == 1


def test_dual_clip():
    # A = -2, ratio 5: min(-10, -2.4) = -10, and max(-10, 3 * -2) = -6; A = +2: 1.2 * 2 as ever
    settings = LossSettings(dual_clip=3.0)
    assert loss_of(by_ratio((-2.0, [5.0])), settings).loss.item() == pytest.approx(6.0)
    assert loss_of(by_ratio((2.0, [5.0])), settings).loss.item() == pytest.approx(-2.4)


def test_gspo_as_printed():
    # Geometric mean sqrt(1.5 * 0.9) = 1.16 > 1.0004; 0.5 < 0.9997 with A = -1: min(-0.5, -0.9997)
    found = loss_of(TWO, PRESETS["gspo"])
    assert found.loss.item() == pytest.approx(-(1.0004 - 0.9997) / 2, abs=1e-15)
    # Unclipped: -(sqrt(1.35) - 0.5) / 2; the gradient of the first sequence's tokens is
    # -1/2 * sqrt(1.35) * A / |o| = -sqrt(1.35) / 4 each.
    inputs = flat(TWO)
    wide = replace(PRESETS["gspo"], clip_low=0.9, clip_high=0.9)
    loss = policy_loss(inputs, wide, totals_of(TWO)).loss
    loss.backward()
    assert loss.item() == pytest.approx(-(math.sqrt(1.35) - 0.5) / 2)
    expected = [-math.sqrt(1.35) / 4, -math.sqrt(1.35) / 4, 0.5 / 2]
    assert inputs.logprobs.grad.tolist() == pytest.approx(expected)


def test_cispo_as_printed():
    # Weights 6 -> 5 and 0.25 (no lower bound), A = 2: -1/2 (5 * 2 * log pi_1 + 0.25 * 2 * log pi_2);
    # the gradient is the weight, also where it is clipped: -1/2 * 5 * 2 and -1/2 * 0.25 * 2.
    samples = by_ratio((2.0, [6.0, 0.25]))
    inputs = flat(samples)
    found = policy_loss(inputs, PRESETS["cispo"], totals_of(samples))
    found.loss.backward()
    expected = -(5 * 2 * (-2 + log(6)) + 0.25 * 2 * (-2 + log(0.25))) / 2
    assert found.loss.item() == pytest.approx(expected)
    assert inputs.logprobs.grad.tolist() == pytest.approx([-5.0, -0.25])
    assert found.metrics["policy/clip_share"][0].item() == 1


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        # pi_old / pi_rollout is 4 and 0.5; A = 1, ratios 1.1 and 1.
        ("token", -(1.1 * 2 + 1.0 * 0.5) / 2),  # min(4, 2) = 2
        ("sequence", -(1.1 * 2)),  # min(4 * 0.5, 2) = 2
        ("sequence_mean", -math.sqrt(1.1) * math.sqrt(2)),  # min(sqrt(4 * 0.5), 2)
    ],
)
def test_truncated_importance_sampling(ratio, expected):
    sample = by_ratio((1.0, [1.1, 1.0]))[0]
    sample = replace(sample, rollout=[-2.0 - log(4), -2.0 - log(0.5)])
    found = loss_of([sample], LossSettings(ratio=ratio, tis_cap=2.0))
    assert found.loss.item() == pytest.approx(expected)
    truncated, of = found.metrics["mismatch/truncated_share"]
    assert (truncated.item(), of) == ((1, 2) if ratio == "token" else (0, 1))


def test_tis_weighs_the_policy_term_alone():
    sample = replace(by_ratio((0.0, [2.0]))[0], rollout=[-2.0 - log(4)], entropy=[1.5])
    settings = LossSettings(tis_cap=2.0, kl_coef=1.0, entropy_coef=0.1)
    # A = 0, so k3 - 0.1 * entropy is left: 1/2 + log 2 - 1 - 0.15
    assert loss_of([sample], settings).loss.item() == pytest.approx(0.5 + log(2) - 1 - 0.15)


@pytest.mark.parametrize(
    ("kl", "expected"), [("k1", -log(2)), ("k2", log(2) ** 2 / 2), ("k3", 2 - log(2) - 1)]
)
def test_divergence_estimators(kl, expected):
    # A = 0; d = log(ref / pi) = log 2
    sample = replace(by_ratio((0.0, [1.0]))[0], reference=[-2.0 + log(2)])
    settings = LossSettings(kl=kl, kl_coef=1.0)
    found = loss_of([sample], settings)
    assert found.loss.item() == pytest.approx(expected)
    assert found.metrics["policy/kl"][0].item() == pytest.approx(2 - log(2) - 1), (
        "k3 whatever kl is"
    )


def test_divergence_of_a_sequence_is_not_the_sum_over_its_tokens():
    # d = log 2 and -log 2: of the sequence 0; of the tokens 2 - log 2 - 1 + 1/2 + log 2 - 1 = 1/2
    sample = replace(by_ratio((0.0, [1.0, 1.0]))[0], reference=[-2.0 + log(2), -2.0 - log(2)])
    settings = LossSettings(aggregate="sequence_sum", kl_coef=1.0)
    assert loss_of([sample], settings).loss.item() == pytest.approx(0.5)
    whole = replace(settings, kl_level="sequence")
    assert loss_of([sample], whole).loss.item() == pytest.approx(0.0, abs=1e-15)


def test_entropy_bonus():
    # A = 0; mean over sequences of the mean over tokens: ((1 + 2) / 2 + 3) / 2 = 2.25
    samples = [
        replace(TWO[0], advantage=0.0, entropy=[1.0, 2.0]),
        replace(TWO[1], advantage=0.0, entropy=[3.0]),
    ]
    found = loss_of(samples, LossSettings(entropy_coef=0.01))
    assert found.loss.item() == pytest.approx(-0.0225)
    assert found.metrics["policy/entropy"][0].item() == 6.0
    assert found.metrics["policy/entropy"][1] == 3


def test_on_policy_gradients_are_the_policy_gradient():
    """At ratio 1 every objective has the same gradient, -A weight: nothing is clipped."""
    samples = by_ratio((1.5, [1.0, 1.0]), (-0.5, [1.0]))
    for settings in (
        LossSettings(),
        replace(PRESETS["gspo"]),
        replace(PRESETS["cispo"], aggregate="sequence_mean"),
    ):
        inputs = flat(samples)
        policy_loss(inputs, settings, totals_of(samples)).loss.backward()
        assert inputs.logprobs.grad.tolist() == pytest.approx([-1.5 / 4, -1.5 / 4, 0.5 / 2])
    for settings in (replace(PRESETS["r1"], kl_coef=0.0), LossSettings(aggregate="sequence_sum")):
        inputs = flat(samples)
        policy_loss(inputs, settings, totals_of(samples)).loss.backward()
        assert inputs.logprobs.grad.tolist() == pytest.approx([-1.5 / 2, -1.5 / 2, 0.5 / 2])


# ---- properties -----------------------------------------------------------------


@pytest.mark.parametrize("name", PRESETS)
def test_order_of_tokens_does_not_matter(name):
    samples = make_samples(seed=3, count=6)
    inputs = flat(samples)
    order = torch.randperm(len(inputs.logprobs), generator=torch.Generator().manual_seed(1))
    mixed = LossInput(
        inputs.logprobs.detach()[order].requires_grad_(),
        inputs.old_logprobs[order],
        inputs.advantages,
        inputs.sequence[order],
        inputs.reference_logprobs[order],
    )
    plain = policy_loss(inputs, PRESETS[name], totals_of(samples)).loss
    found = policy_loss(mixed, PRESETS[name], totals_of(samples)).loss
    assert found.item() == pytest.approx(plain.item(), rel=1e-12)
    plain.backward()
    found.backward()
    assert torch.allclose(mixed.logprobs.grad, inputs.logprobs.grad[order], rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", PRESETS)
def test_float32_agrees(name):
    samples = make_samples(seed=11, count=40)
    inputs = flat(samples, dtype=torch.float32)
    found = policy_loss(inputs, PRESETS[name], totals_of(samples)).loss
    assert found.dtype == torch.float32
    expected = reference_loss(samples, PRESETS[name], totals_of(samples))
    assert found.item() == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("advantage", [1.0, -1.0])
def test_far_apart_policies_stay_finite(name, advantage):
    """A token that one policy all but excludes: e^300 overflows, the loss does not."""
    apart = Sample(advantage, [-1.0, -300.0], [-300.0, -1.0], [-1.0, -1.0], [-1.0, -1.0], [0.0] * 2)
    inputs = flat([apart], dtype=torch.float32)
    found = policy_loss(inputs, PRESETS[name], totals_of([apart]))
    found.loss.backward()
    assert found.loss.isfinite()
    assert inputs.logprobs.grad.isfinite().all()
    assert all(value.isfinite() for value, _ in found.metrics.values())


def test_beyond_the_bound_a_divergence_pulls_nowhere_wrong():
    """Rising log pi must never lower the loss where the policy is above the reference already."""
    settings = LossSettings(kl_coef=1.0, log_ratio_max=20.0)
    for reference, sign in ((-100.0, 1), (-2.1, 1), (-1.9, -1), (-2.0 + 19.9, -1), (23.0, 0)):
        sample = replace(by_ratio((0.0, [1.0]))[0], reference=[reference])
        inputs = flat([sample])
        policy_loss(inputs, settings, totals_of([sample])).loss.backward()
        assert inputs.logprobs.grad.sign().item() == sign, reference


@pytest.mark.parametrize("name", PRESETS)
def test_an_empty_part_adds_nothing(name):
    inputs = flat([])
    found = policy_loss(inputs, PRESETS[name], Totals(3, 2, 16))
    found.loss.backward()
    assert found.loss.item() == 0.0
    assert inputs.logprobs.grad.shape == (0,)


# ---- errors ---------------------------------------------------------------------

TENSORS = (
    "logprobs",
    "old_logprobs",
    "advantages",
    "reference_logprobs",
    "rollout_logprobs",
    "entropy",
)


@pytest.mark.parametrize("name", TENSORS)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_named(name, bad):
    inputs = flat(TWO)
    value = getattr(inputs, name).detach().clone()
    value[1] = bad
    with pytest.raises(ValueError, match=rf"^{name}\[1\]: a finite number, not {bad}"):
        policy_loss(replace(inputs, **{name: value}), LossSettings(), totals_of(TWO))


@pytest.mark.parametrize("name", [*TENSORS, "sequence"])
def test_shapes_are_named(name):
    inputs = flat(TWO)
    value = getattr(inputs, name).detach()
    for other in (torch.cat([value, value[:1]]), value[None]):
        if name in ("logprobs", "advantages") and other.dim() == 1:
            continue  # then it is the others that do not go with it
        with pytest.raises(ValueError, match=rf"^{name}: flat"):
            policy_loss(replace(inputs, **{name: other}), LossSettings(), totals_of(TWO))


@pytest.mark.parametrize(
    ("sequence", "message"),
    [
        ([0, 0, 0], "sequence: row 1 has no tokens"),
        ([0, 0, 2], "sequence: rows from 0 to 1, not 0 to 2"),
        ([0, -1, 1], "sequence: rows from 0 to 1, not -1 to 1"),
        ([0.0, 0.0, 1.0], "sequence: int64"),
    ],
)
def test_sequence_rows_are_checked(sequence, message):
    inputs = replace(flat(TWO), sequence=torch.tensor(sequence))
    with pytest.raises(ValueError, match=message):
        policy_loss(inputs, LossSettings(), totals_of(TWO))


@pytest.mark.parametrize(
    ("option", "field"),
    [
        ("kl_coef", "reference_logprobs"),
        ("tis_cap", "rollout_logprobs"),
        ("entropy_coef", "entropy"),
    ],
)
def test_what_a_setting_needs_is_named(option, field):
    with pytest.raises(ValueError, match=rf"^{field}: needed by {option} = 0\.5"):
        policy_loss(flat(TWO, optional=False), LossSettings(**{option: 0.5}), totals_of(TWO))


@pytest.mark.parametrize(
    "options",
    [
        {"ratio": "batch"},
        {"objective": "ppo"},
        {"aggregate": "mean"},
        {"kl": "k4"},
        {"kl_level": "batch"},
        {"clip_low": -0.1},
        {"clip_high": math.nan},
        {"kl_coef": math.inf},
        {"entropy_coef": -1.0},
        {"dual_clip": 0.9},
        {"dual_clip": 3.0, "objective": "cispo"},
        {"log_ratio_max": 100.0},
        {"tis_cap": -1.0},
    ],
    ids=str,
)
def test_settings_are_named(options):
    with pytest.raises(ValueError, match=f"^{next(iter(options))}: "):
        LossSettings(**options)


@pytest.mark.parametrize("name", ["tokens", "sequences", "max_tokens"])
def test_totals_are_named(name):
    with pytest.raises(ValueError, match=rf"^totals\.{name}: at least 1, not 0"):
        Totals(**{"tokens": 1, "sequences": 1, "max_tokens": 1, name: 0})
