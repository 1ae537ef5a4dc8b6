"""Held-out problems: pass@1 (the mean over samples) and majority@k."""

from __future__ import annotations

from trainer.metrics import Figures, accuracy, majority
from trainer.rollout.engine import Sampling
from trainer.run import Run

SEED = 7
"""Apart from the seeds of rollouts; the same at every evaluation, so that curves are smooth."""


def evaluate(run: Run, figures: Figures) -> None:
    """Samples with the engine's present weights. Adds `eval/...`."""
    settings = run.recipe.eval
    sampling = Sampling(
        run.recipe.rollout.max_new_tokens,
        settings.temperature,
        settings.top_p,
        stop_token_ids=run.tokenizer.stop_token_ids,
    )
    collected = run.collector.collect(
        run.eval_prompts, settings.samples, sampling, (run.recipe.run.seed, SEED)
    )
    for group in collected.groups:
        if (voted := majority(group.verdicts)) is not None:
            figures.add(f"eval/majority@{settings.samples}", voted)
        for completion, response, verdict in group.each():
            figures.add("eval/failed_share", float(not verdict.HasField("reward")))
            if (right := accuracy(verdict)) is not None:
                figures.add("eval/pass@1", right)
            figures.add("eval/length", len(completion.ids))
            for name, pattern in run.patterns.items():
                figures.add(f"eval/text/{name}", float(pattern.search(response) is not None))
