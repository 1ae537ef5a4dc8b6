"""From verified completions to what the model is trained on: samples, packed micro-batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trainer.attention import PackedAttention, packed_positions
from trainer.logprobs import TokenStats, token_logprobs
from trainer.model import Decoder


@dataclass(frozen=True)
class Sample:
    """One completion with its advantage."""

    prompt: tuple[int, ...]
    completion: tuple[int, ...]
    rollout_logprobs: tuple[float, ...]
    advantage: float

    @property
    def length(self) -> int:
        """Tokens, prompt and completion."""
        return len(self.prompt) + len(self.completion)


IDLE = Sample((0,), (0,), (0.0,), 0.0)
"""What a rank without samples of its own goes through where all ranks must."""


@dataclass(frozen=True)
class MicroBatch:
    """S samples one after the other, T tokens, N of them completion tokens."""

    ids: Tensor
    """[T]"""
    lengths: list[int]
    """[S]"""
    rows: Tensor
    """[N]: where in [T] the hidden state stands that predicts each completion token."""
    targets: Tensor
    """[N]: the completion tokens."""
    sequence: Tensor
    """[N]: each token's sample."""
    advantages: Tensor
    """[S]"""
    rollout_logprobs: Tensor
    """[N]"""

    @property
    def counts(self) -> list[int]:
        """[S]: completion tokens of each sample."""
        counts: list[int] = torch.bincount(self.sequence, minlength=len(self.lengths)).tolist()
        return counts


def micro_batch(samples: Sequence[Sample], device: torch.device) -> MicroBatch:
    """Packs samples in their order."""
    lengths = [sample.length for sample in samples]
    counts = [len(sample.completion) for sample in samples]
    rows, start = list[int](), 0
    for sample in samples:
        first = start + len(sample.prompt) - 1
        rows.extend(range(first, first + len(sample.completion)))
        start += sample.length
    flat = [token for s in samples for token in (*s.prompt, *s.completion)]
    return MicroBatch(
        ids=torch.tensor(flat, device=device),
        lengths=lengths,
        rows=torch.tensor(rows, device=device),
        targets=torch.tensor([t for s in samples for t in s.completion], device=device),
        sequence=torch.arange(len(samples)).repeat_interleave(torch.tensor(counts)).to(device),
        advantages=torch.tensor([s.advantage for s in samples], device=device),
        rollout_logprobs=torch.tensor(
            [value for s in samples for value in s.rollout_logprobs], device=device
        ),
    )


class Policy(nn.Module):
    """A decoder as GRPO sees it: completion tokens' log-probabilities and entropies."""

    def __init__(self, decoder: Decoder, temperature: float) -> None:
        super().__init__()
        self.decoder = decoder
        self.temperature = temperature

    def forward(
        self, micro: MicroBatch, entropy_grad: bool = False, temperature: float | None = None
    ) -> TokenStats:
        """[N] each, of the distribution at the temperature that is sampled at, or at another."""
        device = micro.ids.device
        hidden = self.decoder(
            micro.ids,
            packed_positions(micro.lengths, device),
            PackedAttention(micro.lengths, device),
        )
        return token_logprobs(
            hidden[micro.rows],
            self.decoder.head_weight,
            micro.targets,
            vocab_size=self.decoder.config.vocab_size,
            temperature=temperature or self.temperature,
            layout=self.decoder.layout,
            entropy_grad=entropy_grad,
        )
