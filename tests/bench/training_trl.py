"""TRL's GRPOTrainer (Apache-2.0) on one case; runs under an interpreter of its own.

    python -m tests.bench.training_trl CASE.json [FIRST.pt]

Its best setting here: weights in the case's type (no autocast), no gradient checkpointing, no
logging, all completions of a step generated in one call, and the micro-batch that the benchmark
searched for. FIRST.pt gets the first rollout, and the weights before and after the run
(training_update.py). Lengths are imposed by a logits processor that allows the end of a text at its place
alone; with equal lengths by `min_new_tokens`, TRL's own setting.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "TRL_EXPERIMENTAL_SILENCE": "1", "TQDM_DISABLE": "1"}

import torch
from datasets import Dataset
from transformers import (
    AutoModelForCausalLM,
    LogitsProcessorList,
    PreTrainedTokenizerFast,
    TrainerCallback,
)
from trl import GRPOConfig, GRPOTrainer

from tests.bench.training_case import (
    END,
    Case,
    Meter,
    share,
)


class Ends:
    """Lets each row end at its place and nowhere else."""

    def __init__(self, lengths: list[int], prompt: int) -> None:
        self._last = torch.tensor(lengths) - 1 + prompt

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        now = self._last.to(ids.device) == ids.shape[1]
        scores[:, END] = torch.where(now, 1e9, float("-inf"))
        return scores


def run(case: Case, first: Path | None = None) -> None:
    torch.set_num_threads(case.threads)
    dtype = getattr(torch, case.dtype)
    model = AutoModelForCausalLM.from_pretrained(case.model, dtype=dtype)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(case.model)
    rows = case.rows()
    meter = Meter(case)

    def reward(completion_ids: list[list[int]], language: list[str], **_: Any) -> list[float]:
        found = [share(ids, wanted) for ids, wanted in zip(completion_ids, language, strict=True)]
        meter.rewards.append(sum(found) / len(found))
        meter.tokens.append(sum(map(len, completion_ids)))
        assert [len(ids) for ids in completion_ids] == case.lengths(len(meter.tokens) - 1)
        return found

    class Steps(TrainerCallback):
        def on_train_begin(self, *_: Any, **__: Any) -> None:
            meter.start()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            meter.step_ends(rest="train")

    if case.long_tailed:
        generate = model.generate

        def impose(**kwargs: Any) -> torch.Tensor:
            ends = Ends(case.lengths(len(meter.tokens)), kwargs["input_ids"].shape[1])
            return generate(**kwargs, logits_processor=LogitsProcessorList([ends]))

        model.generate = functools.wraps(generate)(impose)
    with tempfile.TemporaryDirectory() as folder:
        settings = GRPOConfig(
            output_dir=folder,
            use_cpu=not torch.cuda.is_available(),
            bf16=False,
            per_device_train_batch_size=case.micro_batch,
            gradient_accumulation_steps=case.completions // case.micro_batch,
            num_generations=case.group,
            num_iterations=1,
            max_completion_length=case.longest,
            generation_kwargs=None if case.long_tailed else {"min_new_tokens": case.tokens},
            max_steps=case.steps,
            learning_rate=case.lr,
            lr_scheduler_type="constant",
            adam_beta2=0.95,
            max_grad_norm=1.0,
            beta=case.kl_coef,
            loss_type="dapo",
            epsilon=0.2,
            shuffle_dataset=False,
            gradient_checkpointing=False,
            dataloader_num_workers=0,
            logging_strategy="no",
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            seed=case.seed,
        )
        trainer = GRPOTrainer(
            model=model,
            processing_class=tokenizer,
            reward_funcs=reward,
            args=settings,
            train_dataset=Dataset.from_list(
                [{"prompt": row["prompt"], "language": row["language"]} for row in rows]
            ),
            callbacks=[Steps()],
        )
        trainer._generate = meter.timed("generate", trainer._generate)
        trainer._calculate_rewards = meter.timed("verify", trainer._calculate_rewards)
        score = trainer._get_per_token_logps_and_entropies

        def scored(*arguments: Any, **options: Any) -> Any:
            if torch.is_grad_enabled():
                return score(*arguments, **options)
            with meter.phase("reference"):
                return score(*arguments, **options)

        trainer._get_per_token_logps_and_entropies = scored
        if first is None:
            trainer.train()
        else:
            keep_first(trainer, first)
    print(meter.result().dump())


def keep_first(trainer: GRPOTrainer, path: Path) -> None:
    """Trains, and keeps the rollout that it began with and the weights at both ends."""
    rollouts, score = list[dict[str, torch.Tensor]](), trainer._generate_and_score_completions

    def scored(inputs: Any) -> Any:
        found = score(inputs)
        tensors = {name: value for name, value in found.items() if torch.is_tensor(value)}
        rollouts.append({name: value.clone() for name, value in tensors.items()})
        return found

    def weights() -> dict[str, torch.Tensor]:
        return {n: p.detach().clone() for n, p in trainer.model.named_parameters()}

    trainer._generate_and_score_completions = scored
    before = weights()
    trainer.train()
    torch.save({"rollout": rollouts[0], "before": before, "after": weights()}, path)


if __name__ == "__main__":
    case = Case(**json.loads(Path(sys.argv[1]).read_text()))
    run(case, *map(Path, sys.argv[2:]))
