"""A tokenizer for the demo: characters, and numbers and a few phrases as one token each.

The whole preamble of R1-Zero's template is one such phrase, so a model of a million parameters
reads the template as it is printed in the paper at the cost of two tokens.
"""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models

from trainer.data import TEMPLATES

END = "<|end|>"
"""Ends every text."""

CHARACTERS = "0123456789+-*/=()?.,:; abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'<>|\n"

PHRASES = (
    *TEMPLATES["r1_zero"].split("{prompt}"),
    "Make ", " from ", " </think>", " <answer> ", " </answer>",
    " <think>", " I just know", ", ", "; ", " yes", " no", " wait, check:", " right", " wrong",
)  # fmt: skip


def build() -> Tokenizer:
    """Text to ids and back, exactly."""
    vocabulary = {character: number for number, character in enumerate(CHARACTERS)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges=[]))
    # Found before anything else, the longest first.
    numbers = map(str, range(10, 100))
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in (*PHRASES, *numbers)])
    tokenizer.add_special_tokens([AddedToken(END, normalized=False)])
    tokenizer.decoder = decoders.Fuse()
    return tokenizer


def save(directory: Path) -> Tokenizer:
    """Writes what Hugging Face's libraries, SGLang and vLLM read."""
    tokenizer = build()
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(directory / "tokenizer.json"))
    about = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": END,
        "pad_token": END,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 512,
    }
    (directory / "tokenizer_config.json").write_text(json.dumps(about, indent=2) + "\n")
    return tokenizer
