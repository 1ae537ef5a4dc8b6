"""A GRPO run of TRL with rewards from a service; an interpreter that has TRL runs it.

    python -m tests.verifier.adapters.grpo_case ADDRESS STEPS

Prints one line of JSON: every row, what the model wrote for it, and the reward that TRL got.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "TRL_EXPERIMENTAL_SILENCE": "1", "TQDM_DISABLE": "1"}

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
from trl import GRPOConfig, GRPOTrainer

from tests.bench.training_case import write_model
from verifier.adapters.trl import reward_func

GROUP = 4
LANGUAGE = {"parts": [{"name": "language", "weight": 1.0}]}
"""A part that gives a share of the words: rewards with many digits."""
ROWS = [
    {"prompt": "aae 一 abe", "solution": "1", "choice": None, "inline_recipe": json.dumps(LANGUAGE), "language": "en"},
    {"prompt": "ace 丁 ade", "solution": None, "choice": "B", "inline_recipe": json.dumps(LANGUAGE), "language": "zh"},
    {"prompt": "aee 七 afe", "solution": "{1,2}", "choice": None, "inline_recipe": None, "language": None},
    {"prompt": "age 万 ahe", "solution": None, "choice": None, "inline_recipe": None, "language": None},
]  # fmt: skip
"""The last has no task, and so no reward."""


def run(address: str, steps: int) -> None:
    torch.set_num_threads(1)
    ask = reward_func(address, columns={"math": "solution"}, on_failure="mask")
    seen = list[dict[str, Any]]()
    advantages = list[float]()

    def touchstone(**told: Any) -> list[float | None]:
        values = ask(**told)
        for place, (value, said) in enumerate(zip(values, told["completions"], strict=True)):
            row = {name: told[name][place] for name in ("solution", *list(ROWS[0])[2:])}
            seen.append({**row, "response": said, "reward": value})
        return values

    class Trainer(GRPOTrainer):  # type: ignore[misc]
        def _generate_and_score_completions(self, inputs: Any) -> Any:
            made = super()._generate_and_score_completions(inputs)
            advantages.extend(made["advantages"].tolist())
            return made

    with tempfile.TemporaryDirectory() as folder:
        write_model(Path(folder), hidden=64, layers=1)
        trainer = Trainer(
            model=AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32),
            processing_class=PreTrainedTokenizerFast.from_pretrained(folder),
            reward_funcs=touchstone,
            args=GRPOConfig(
                output_dir=folder,
                use_cpu=True,
                bf16=False,
                per_device_train_batch_size=GROUP * len(ROWS),
                num_generations=GROUP,
                max_completion_length=24,
                max_steps=steps,
                shuffle_dataset=False,
                gradient_checkpointing=False,
                logging_steps=1,
                save_strategy="no",
                report_to=[],
                disable_tqdm=True,
                seed=1,
            ),
            train_dataset=Dataset.from_list(ROWS),
        )
        trainer.train()
    logs = [log for log in trainer.state.log_history if "reward" in log]
    print(json.dumps({"seen": seen, "advantages": advantages, "logs": logs}))


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]))
