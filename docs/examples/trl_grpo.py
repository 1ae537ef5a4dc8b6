"""TRL; with Unsloth and open-r1 the reward function is the same.

touchstone serve --listen 127.0.0.1:50051
accelerate launch trl_grpo.py
"""

from datasets import load_dataset
from trl import GRPOConfig, GRPOTrainer

from verifier.adapters.trl import reward_func

dataset = load_dataset("open-r1/OpenR1-Math-220k", split="train")
trainer = GRPOTrainer(
    model="Qwen/Qwen2.5-1.5B-Instruct",
    reward_funcs=reward_func(
        "127.0.0.1:50051", columns={"math": "answer"}, recipe="r1_zero", on_failure="mask"
    ),
    args=GRPOConfig(output_dir="out"),
    train_dataset=dataset.rename_column("problem", "prompt"),
)
trainer.train()
