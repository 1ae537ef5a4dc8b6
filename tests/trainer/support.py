"""Tiny models and prompts for the trainer's tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

from trainer.config import GrpoConfig
from trainer.model import Decoder, ModelConfig
from trainer.weights import save_model

CHARACTERS = "".join(chr(code) for code in range(32, 127)) + "\n"
STOP = "<|end|>"

TINY: dict[str, Any] = {
    "model_type": "qwen2",
    "architectures": ["Qwen2ForCausalLM"],
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "tie_word_embeddings": True,
    "hidden_act": "silu",
    "initializer_range": 0.3,
    "torch_dtype": "float32",
}


def character_tokenizer(directory: Path) -> None:
    """A tokenizer of single characters in a model's directory."""
    vocabulary = {STOP: 0} | {c: n for n, c in enumerate(CHARACTERS, 1)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=" "))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens([STOP])
    tokenizer.save(str(directory / "tokenizer.json"))
    (directory / "generation_config.json").write_text(json.dumps({"eos_token_id": 0}))


def tiny_model(directory: Path, seed: int = 0, **changes: Any) -> Path:
    """A Hugging Face directory with a random model and a tokenizer of characters."""
    sizes = {"vocab_size": len(CHARACTERS) + 1, "eos_token_id": 0}
    config = ModelConfig.from_hf(TINY | sizes | changes)
    save_model(Decoder(config, seed=seed), directory)
    character_tokenizer(directory)
    return directory


def digits(path: Path, count: int = 32) -> Path:
    """Prompts to which a number of one digit, anywhere last, is the right answer: what a random
    model hits now and then."""
    gold = [str(digit) for digit in range(10)]
    rows = [
        {
            "id": f"digit-{n}",
            "prompt": f"{n}: write a digit",
            "math": {"gold": gold, "policy": {"free_text": True}},
        }
        for n in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def recipe(directory: Path, model: Path, data: Path, /, **sections: dict[str, Any]) -> GrpoConfig:
    """A GRPO run of a few seconds; `sections` go on top."""
    values: dict[str, dict[str, Any]] = {
        "model": {"path": str(model), "dtype": "float32"},
        "data": {"path": str(data), "template": "none", "max_prompt_tokens": 32},
        "rollout": {"prompts_per_rollout": 8, "group_size": 8, "max_new_tokens": 12},
        "algorithm": {"preset": "dapo"},
        "optimizer": {"lr": 1e-3},
        "budget": {"micro_batch_tokens": 512},
        "run": {"dir": str(directory), "steps": 4, "threads": 1, "tensorboard": False},
    }
    for name, section in sections.items():
        values.setdefault(name, {}).update(section)
    return GrpoConfig.model_validate_json(json.dumps(values))


def metrics(directory: Path) -> list[dict[str, Any]]:
    """A run's metrics by step, without those of the wall clock."""
    lines = (directory / "metrics.jsonl").read_text().splitlines()
    return [
        {k: v for k, v in json.loads(line).items() if not k.startswith(("time/", "rate/"))}
        for line in lines
    ]
