"""A decoder with one number for a head, in Hugging Face's form of a sequence classifier.

The number is read at the last token of a conversation, as vLLM and SGLang read it. `transformers`
reads it at the last token that is not config.json's `pad_token_id` (of a single text, where it has
none, at the last), so a scorer is written without a `pad_token_id` that conversations end with.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.batch import Packed
from trainer.model import Decoder, ModelConfig
from trainer.parallel import SINGLE, Layout, make_parameter
from trainer.tokens import Tokenizer
from trainer.weights import fill, read_config

HEAD = "score.weight"
ARCHITECTURES = {
    "llama": "LlamaForSequenceClassification",
    "qwen2": "Qwen2ForSequenceClassification",
    "qwen3": "Qwen3ForSequenceClassification",
}


def classifier(config: ModelConfig) -> ModelConfig:
    """The same model with one label in place of its vocabulary's logits."""
    raw = dict(config.raw) | {
        "architectures": [ARCHITECTURES[config.model_type]],
        # How Hugging Face tells the number of labels.
        "id2label": {"0": "LABEL_0"},
        "label2id": {"LABEL_0": 0},
        "tie_word_embeddings": False,
    }
    # To the decoder a tied head is one that needs no weight of its own.
    return replace(config, tied=True, raw=raw)


class ScoreHead(nn.Module):
    """hidden [N, H] -> [N] in fp32. Whole on every TP rank, as what it gets is."""

    def __init__(self, hidden: int, layout: Layout, **make: Any) -> None:
        super().__init__()
        self.weight = make_parameter((1, hidden), None, layout, **make)

    def forward(self, hidden: Tensor) -> Tensor:
        return F.linear(hidden.float(), self.weight.float())[:, 0]


class Scorer(Decoder):
    """A decoder without its head, with `score` in its place. Called as a decoder is."""

    def __init__(
        self, config: ModelConfig, layout: Layout = SINGLE, *, seed: int | None = 0, **told: Any
    ) -> None:
        super().__init__(classifier(config), layout, seed=None, **told)
        weight = self.head_weight
        self.score = ScoreHead(config.hidden_size, layout, device=weight.device, dtype=weight.dtype)
        if seed is not None:
            self.initialize(seed)
            self.draw_head(seed)

    @torch.no_grad()
    def draw_head(self, seed: int) -> None:
        """N(0, 1 / (H + 1)), so that scores begin at about the size of 1 (arXiv 1909.08593)."""
        size = self.config.hidden_size
        drawn = torch.randn(1, size, generator=torch.Generator().manual_seed(seed))
        self.score.weight.copy_(drawn / (size + 1) ** 0.5)


class RewardModel(nn.Module):
    """A scorer of packed conversations."""

    def __init__(self, decoder: Scorer) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, packed: Packed) -> Tensor:
        """[N] fp32: the score of each conversation."""
        scores: Tensor = self.decoder.score(packed.hidden(self.decoder))
        return scores


def load_scorer(path: Path, *, seed: int, **told: Any) -> Scorer:
    """A scorer from a language model's directory, its head drawn by the seed, or from a scorer's.

    `told` and errors are those of `load_model`.
    """
    scorer = Scorer(read_config(path), seed=None, **told)
    if fill(scorer, path, optional={HEAD}) and not scorer.score.weight.is_meta:
        scorer.draw_head(seed)
    return scorer


def blank_scorer(path: Path) -> Scorer:
    """An unset scorer on the CPU, in fp32, made from a model's directory and to be saved with its
    tokenizer. Raises as `read_config` does, and TokenizerError."""
    config = read_config(path)
    turns = [{"role": role, "content": "a"} for role in ("user", "assistant")]
    ends = Tokenizer(path).chat(turns, return_dict=True)["input_ids"][-1]
    if config.raw.get("pad_token_id") == ends:
        unpadded = {key: value for key, value in config.raw.items() if key != "pad_token_id"}
        config = replace(config, raw=unpadded)
    return Scorer(config, seed=None)
