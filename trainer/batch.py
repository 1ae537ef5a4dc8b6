"""From verified completions to what the model is trained on: samples, packed micro-batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.attention import PackedAttention, packed_positions
from trainer.logprobs import TokenStats, token_logprobs
from trainer.model import Decoder
from trainer.products import spare_rows


@dataclass(frozen=True)
class Sample:
    """One completion with its advantage."""

    prompt: tuple[int, ...]
    completion: tuple[int, ...]
    rollout_logprobs: tuple[float, ...]
    advantage: float


IDLE = Sample((0,), (0,), (0.0,), 0.0)
"""What a rank without samples of its own goes through where all ranks must."""


@dataclass(frozen=True)
class Packed:
    """Token ids in T rows: segments that lie one after the other."""

    ids: Tensor
    """[T]"""
    lengths: list[int]
    """Rows of each segment."""
    prefixes: list[int | None]
    """The segment that each segment continues, see PackedAttention."""
    rows: Tensor
    """[N]: where in [T] the hidden states stand that are asked for."""

    def hidden(self, decoder: Decoder) -> Tensor:
        """[N, H]: those hidden states."""
        device, spare = self.ids.device, spare_rows(len(self.rows), decoder.head_weight)
        hidden: Tensor = decoder(
            self.ids,
            packed_positions(self.lengths, device, self.prefixes),
            PackedAttention(self.lengths, device, self.prefixes),
            F.pad(self.rows, (0, spare)),
        )
        return hidden[: len(self.rows)]

    def tensors(self) -> dict[str, Tensor]:
        """All of it, to be kept in a file; -1 is no prefix."""
        prefixes = [-1 if prefix is None else prefix for prefix in self.prefixes]
        fields = vars(self) | {"prefixes": prefixes}
        return {name: torch.as_tensor(value) for name, value in fields.items()}


@dataclass(frozen=True)
class MicroBatch(Packed):
    """S samples of N completion tokens, each predicted at its row. Samples of one prompt share its
    rows, and none has a row for its last token, which predicts nothing."""

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
        counts: list[int] = torch.bincount(self.sequence, minlength=len(self.advantages)).tolist()
        return counts


def rows_of(samples: Sequence[Sample]) -> int:
    """Rows that samples of one prompt take together."""
    return len(samples[0].prompt) + sum(len(sample.completion) - 1 for sample in samples)


def by_prompt(samples: Sequence[Sample], chosen: Sequence[int], budget: int) -> list[list[int]]:
    """Places of samples that share a prompt, together as far as `budget` rows allow."""
    units, newest = list[list[int]](), dict[tuple[int, ...], list[int]]()
    for n in chosen:
        unit = newest.get(samples[n].prompt)
        if unit is None or rows_of([samples[m] for m in (*unit, n)]) > budget:
            unit = newest[samples[n].prompt] = []
            units.append(unit)
        unit.append(n)
    return units


def micro_batch(samples: Sequence[Sample], device: torch.device) -> MicroBatch:
    """Packs samples in their order; neighbours of one prompt share it."""
    ids, rows, lengths, prefixes = list[int](), list[int](), list[int](), list[int | None]()

    def segment(tokens: tuple[int, ...], prefix: int | None) -> int:
        ids.extend(tokens)
        lengths.append(len(tokens))
        prefixes.append(prefix)
        return len(ids) - len(tokens)

    for prompt, mates in groupby(samples, key=lambda sample: sample.prompt):
        completions = [mate.completion for mate in mates]
        if len(completions) == 1:
            end = segment(prompt + completions[0][:-1], None) + len(prompt) - 1
            rows.extend(range(end, end + len(completions[0])))
            continue
        end, shared = segment(prompt, None) + len(prompt) - 1, len(lengths) - 1
        for completion in completions:
            rows.append(end)
            if len(completion) > 1:
                start = segment(completion[:-1], shared)
                rows.extend(range(start, start + len(completion) - 1))
    counts = torch.tensor([len(sample.completion) for sample in samples])
    return MicroBatch(
        ids=torch.tensor(ids, device=device),
        lengths=lengths,
        prefixes=prefixes,
        rows=torch.tensor(rows, device=device),
        targets=torch.tensor([t for s in samples for t in s.completion], device=device),
        sequence=torch.arange(len(samples)).repeat_interleave(counts).to(device),
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
        return token_logprobs(
            micro.hidden(self.decoder),
            self.decoder.head_weight,
            micro.targets,
            vocab_size=self.decoder.config.vocab_size,
            temperature=temperature or self.temperature,
            layout=self.decoder.layout,
            entropy_grad=entropy_grad,
        )
