"""One update of ours on the rollout that TRL began with, beside TRL's own.

    python -m tests.bench.training_update CASE.json FIRST.pt        as training_trl.py left them

Completions, rewards and old policy are the same, so what differs is advantages, loss, gradient,
clipping and AdamW. AdamW's first step is the sign of each gradient times the rate, so a gradient
that is zero but for rounding moves its weight by all of it, up or down: hence the two figures.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from torch import Tensor

from tests.bench.training_case import Case, language_of, share
from trainer.advantages import AdvantageSettings, group_advantages
from trainer.batch import Policy, Sample, micro_batch
from trainer.config import Parallel
from trainer.losses import LossInput, LossSettings, Totals, policy_loss
from trainer.optimize import OptimizerSettings, make_optimizer
from trainer.parallel import SINGLE
from trainer.weights import load_model


def samples(case: Case, rollout: dict[str, Tensor]) -> list[Sample]:
    """TRL's completions with advantages of ours."""

    def rows(name: str) -> list[tuple[int, ...]]:
        both = zip(rollout[f"{name}_ids"], rollout[f"{name}_mask"], strict=True)
        return [tuple(ids[mask.bool()].tolist()) for ids, mask in both]

    prompts, completions = rows("prompt"), rows("completion")
    rewards = [
        share(completion, language_of(prompt[0]) or "")
        for prompt, completion in zip(prompts, completions, strict=True)
    ]
    groups = torch.tensor(rewards, dtype=torch.float64).view(-1, case.group)
    settings = AdvantageSettings(kind="grpo", ddof=1, std_eps=1e-4, dynamic_sampling=False)
    found = group_advantages(groups, torch.ones_like(groups, dtype=torch.bool), settings)
    torch.testing.assert_close(
        found.values.flatten().float(), rollout["advantages"].float(), rtol=1e-3, atol=1e-4
    )
    return [
        Sample(prompt, completion, (0.0,) * len(completion), float(advantage))
        for prompt, completion, advantage in zip(
            prompts, completions, found.values.flatten(), strict=True
        )
    ]


def update(case: Case, rollout: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights after one update."""
    decoder = load_model(Path(case.model), dtype=getattr(torch, case.dtype))
    policy = Policy(decoder, temperature=1.0)
    told = OptimizerSettings(
        lr=case.lr, betas=(0.9, 0.95), schedule="constant", warmup_steps=0, min_lr_ratio=1.0,
        eps=1e-8, weight_decay=0.0, max_grad_norm=1.0, total_steps=1,
    )  # fmt: skip
    optimizer = make_optimizer(policy, decoder, told, SINGLE, Parallel())
    chosen = samples(case, rollout)
    totals = Totals(sum(len(one.completion) for one in chosen), len(chosen), case.longest)
    for start in range(0, len(chosen), case.micro_batch):
        micro = micro_batch(chosen[start : start + case.micro_batch], torch.device("cpu"))
        logprobs = policy(micro).logprobs
        inputs = LossInput(
            logprobs=logprobs,
            old_logprobs=logprobs.detach(),
            advantages=micro.advantages,
            sequence=micro.sequence,
        )
        loss = policy_loss(inputs, LossSettings(aggregate="token_mean"), totals).loss
        optimizer.backward(loss, last=start + case.micro_batch >= len(chosen))
    optimizer.step()
    optimizer.publish()
    return {name: parameter.detach() for name, parameter in decoder.named_parameters()}


def main(case: Case, first: Path) -> tuple[float, float]:
    """(norm of the difference to norm of TRL's update, share of weights within a tenth of the
    rate)."""
    kept = torch.load(first, weights_only=True)
    ours, before, after = update(case, kept["rollout"]), kept["before"], kept["after"]
    gap = torch.cat([(ours[name] - after[name]).flatten() for name in after])
    theirs = torch.cat([(after[name] - before[name]).flatten() for name in after])
    same = (gap.abs() <= case.lr / 10).float().mean()
    return float(gap.norm() / theirs.norm()), float(same)


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(main(Case(**json.loads(Path(sys.argv[1]).read_text())), Path(sys.argv[2]))))
