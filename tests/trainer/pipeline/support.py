"""A pipeline of tiny models for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.trainer.support import digits, tiny_model
from trainer.pipeline.config import PipelineConfig, load_pipeline

GRPO = """
[model]
path = "unused"
dtype = "float32"
[data]
path = "unused"
template = "none"
max_prompt_tokens = 32
[rollout]
prompts_per_rollout = 4
group_size = 4
max_new_tokens = 8
[algorithm]
preset = "dapo"
[optimizer]
lr = 1e-3
[budget]
micro_batch_tokens = 512
[run]
dir = "unused"
steps = 3
tensorboard = false
"""
SFT = """
[model]
path = "unused"
dtype = "float32"
[data]
path = "unused"
template = "none"
max_tokens = 64
batch_size = 4
epochs = 1
[optimizer]
lr = 1e-3
[budget]
micro_batch_tokens = 512
[run]
dir = "unused"
checkpoint_every = 1
tensorboard = false
"""


def sums(path: Path, count: int = 16) -> Path:
    """Rows to fine-tune on."""
    rows = [{"prompt": f"{n}: write a digit", "completion": str(n % 10)} for n in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def files(folder: Path) -> dict[str, Path]:
    """A base model, data and recipes."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "base": tiny_model(folder / "base"),
        "problems": digits(folder / "problems.jsonl", 8),
        "rows": sums(folder / "rows.jsonl"),
        "grpo": write(folder / "grpo.toml", GRPO),
        "sft": write(folder / "sft.toml", SFT),
    }


TABLE: dict[str, Any] = {
    "kind": "table",
    "data": {"digits": "problems"},
    "rows": [{"name": "Zero", "model": "zero"}, {"name": "Dev1", "model": "dev1"}],
    "language": False,
    "sampling": {
        "samples": 2, "max_new_tokens": 8, "template": "none", "chunk": 3, "dtype": "float32",
    },
}  # fmt: skip


def text(
    held: dict[str, Path], directory: Path, stages: dict[str, dict[str, Any]], address: str
) -> str:
    """The recipe of a pipeline, as TOML (whose inline tables JSON nearly is)."""

    def value(told: Any) -> str:
        if isinstance(told, dict):
            return "{" + ", ".join(f"{k} = {value(v)}" for k, v in told.items()) + "}"
        return (
            "[" + ", ".join(map(value, told)) + "]" if isinstance(told, list) else json.dumps(told)
        )

    lines = [
        "[pipeline]", f'dir = "{directory}"', "threads = 1",
        "[service]", f'address = "{address}"',
        "[models]", f'base = "{held["base"]}"',
        "[data]", f'problems = "{held["problems"]}"', f'rows = "{held["rows"]}"',
    ]  # fmt: skip
    for name, stage in stages.items():
        lines += [f"[stages.{name}]", *(f"{key} = {value(one)}" for key, one in stage.items())]
    return "\n".join(lines) + "\n"


def three(held: dict[str, Path]) -> dict[str, dict[str, Any]]:
    """GRPO, fine-tuning, and a table of both."""
    grpo = {"kind": "grpo", "model": "base", "data": "problems", "recipe": str(held["grpo"])}
    sft = {"kind": "sft", "model": "base", "data": "rows", "recipe": str(held["sft"])}
    return {
        "zero": grpo | {"dtype": "float32"},
        "dev1": sft | {"dtype": "float32"},
        "table": TABLE,
    }


def config(path: Path, *told: str) -> PipelineConfig:
    return load_pipeline(path, told)
