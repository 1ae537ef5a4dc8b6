"""GRPO, top to bottom: sample groups, verify, compare, update, sync, log, save.

DeepSeek-R1's algorithm (arXiv 2501.12948v2, section 2.1) and its descendants; which one is a matter
of `algorithm` in the recipe. Run as `touchstone-train grpo recipe.toml`, alone or under torchrun.
"""

from __future__ import annotations

import time

import torch
from torch import Tensor

from trainer.advantages import Advantages, group_advantages, overlong_penalty
from trainer.batch import Sample
from trainer.collect import Group
from trainer.config import GrpoConfig
from trainer.evaluate import evaluate
from trainer.losses import LossInput, policy_loss
from trainer.metrics import Figures, describe_groups, describe_mismatch, rollout_rows
from trainer.run import Run
from verifier.client import rewards as rewards_of


def train(recipe: GrpoConfig) -> None:
    """Runs a recipe to its end, from its newest checkpoint if it has one."""
    with Run(recipe) as run:
        figures, began = Figures(), time.monotonic()
        for step in range(run.first_step, recipe.run.steps):
            if run.evaluates(step):
                evaluate(run, figures)
            groups = run.rollouts.take(step, figures)
            run.warn_of_failures(step, groups)
            advantages = compare(run, groups)
            describe_groups(figures, groups, advantages, run.patterns)
            with run.clock("train", figures):
                update(run, step, groups, advantages, figures)
                run.replace_reference(step)
            with run.clock("sync", figures):
                run.rollouts.sync(step + 1)
            run.write(step, figures, began, rollout_rows(step, groups, advantages))
            # After the log: a kill between the two has the step done again, and logged again.
            figures, began = Figures(), time.monotonic()
            with run.clock("checkpoint", figures):
                run.checkpoint(step + 1)
        if run.evaluates(recipe.run.steps):
            evaluate(run, figures)
            run.write(recipe.run.steps, figures, began, [])


def compare(run: Run, groups: list[Group]) -> Advantages:
    """Each group's rewards as advantages [B, G]."""
    recipe = run.recipe
    scored = [rewards_of(group.verdicts, recipe.reward.on_failure) for group in groups]
    rewards = torch.tensor(
        [[value or 0.0 for value in one.values] for one in scored], dtype=torch.float64
    )
    counts = torch.tensor([one.counts for one in scored])
    lengths = torch.tensor([[len(c.ids) for c in group.completions] for group in groups])
    overlong, most = recipe.algorithm.overlong, recipe.rollout.max_new_tokens
    if overlong.soft_tokens:
        penalty = overlong_penalty(lengths, most - overlong.soft_tokens, most)
        rewards = rewards + overlong.penalty * penalty
    cut = torch.tensor([[c.finish == "length" for c in group.completions] for group in groups])
    truncated = cut if overlong.mask else None
    return group_advantages(
        rewards, counts, recipe.algorithm.advantage_settings(), truncated=truncated
    )


def update(
    run: Run, step: int, groups: list[Group], advantages: Advantages, figures: Figures
) -> None:
    """All updates of one rollout: `epochs` times its completions in `mini_batches` random parts."""
    algorithm, settings = run.recipe.algorithm, run.recipe.algorithm.loss_settings()
    samples = [
        Sample(group.prompt.ids, completion.ids, completion.logprobs, float(value))
        for group, values, keeps in zip(groups, advantages.values, advantages.keep, strict=True)
        for completion, value, keep in zip(group.completions, values, keeps, strict=True)
        if keep
    ]
    once = algorithm.mini_batches * algorithm.epochs == 1
    # With a single update the policy is its own old policy, and need not be asked twice.
    old = None if once else run.score(run.policy, samples)
    reference = None if run.reference is None else run.score(run.reference, samples)
    compared = list(zip(old or [], samples, strict=False))
    for part in run.parts(step, len(samples)):
        # What has no advantage has no gradient, unless something else pulls at it.
        pulled = settings.kl_coef or settings.entropy_coef
        moved = [n for n in part if pulled or samples[n].advantage]
        totals = run.totals([len(samples[n].completion) for n in part], len(moved))
        if totals is None:
            continue
        micro = None
        for micro, chosen, last in run.micro_batches(samples, moved):
            with run.kept_if_bad(step, micro):
                stats = run.policy(micro, entropy_grad=settings.entropy_coef != 0)
                if not chosen:
                    run.optimizer.backward(0.0 * stats.logprobs.sum(), last=last)
                    continue
                current = stats.logprobs.detach()
                inputs = LossInput(
                    logprobs=stats.logprobs,
                    old_logprobs=current if old is None else _of(old, chosen),
                    advantages=micro.advantages,
                    sequence=micro.sequence,
                    reference_logprobs=None if reference is None else _of(reference, chosen),
                    rollout_logprobs=micro.rollout_logprobs,
                    entropy=stats.entropy,
                )
                output = policy_loss(inputs, settings, totals)
                run.optimizer.backward(output.loss, last=last)
            figures.add_all(output.metrics, output.maxima)
            figures.add("policy/loss", float(output.loss.detach()), 0)
            if old is None:
                parts = zip(current.split(micro.counts), chosen, strict=True)
                compared += [(logprobs, samples[n]) for logprobs, n in parts]
        with run.kept_if_bad(step, micro):
            done = run.optimizer.step()
        figures.add("policy/loss", 0.0, 1 / run.layout.dp)  # each rank has added its part of it
        figures.add("policy/grad_norm", done.grad_norm)
        figures.add("policy/lr", done.lr)
    if compared:
        sampled = torch.tensor([value for _, s in compared for value in s.rollout_logprobs])
        describe_mismatch(figures, torch.cat([logprobs for logprobs, _ in compared]).cpu(), sampled)


def _of(logprobs: list[Tensor], chosen: list[int]) -> Tensor:
    return torch.cat([logprobs[n] for n in chosen])
