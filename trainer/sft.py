"""Supervised fine-tuning: the loss of an update is the mean over its trained tokens of -log p
(DeepSeek-R1, arXiv 2501.12948v2, B.4.2: cosine to a tenth of the learning rate).

Run as `touchstone-train sft recipe.toml`, alone or under torchrun; one that was broken off goes on.
The loop is in `trainer/epochs.py`.

Invariant: a sample never sees another.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from trainer.batch import MicroBatch, Policy
from trainer.chat import Encoder, Example, read_examples
from trainer.config import SftConfig
from trainer.epochs import EpochRun, Sums
from trainer.weights import load_model


def micro_batch(examples: Sequence[Example], device: torch.device) -> MicroBatch:
    """Packs examples one after the other; a trained token is predicted from the one before it."""
    lengths = [example.tokens for example in examples]
    ids = torch.cat([example.ids for example in examples]).long()
    trained = torch.cat([example.trained for example in examples])
    sequence = torch.arange(len(examples)).repeat_interleave(torch.tensor(lengths))
    # The first token of an example has nothing before it: what lies there is another example.
    trained &= torch.cat([sequence.new_tensor([-1]), sequence[:-1]]) == sequence
    places = trained.nonzero().squeeze(1)
    return MicroBatch(
        ids=ids.to(device),
        lengths=lengths,
        prefixes=[None] * len(lengths),
        rows=(places - 1).to(device),
        targets=ids[places].to(device),
        sequence=sequence[places].to(device),
        advantages=torch.empty(0),
        rollout_logprobs=torch.empty(0),
    )


class Run(EpochRun[SftConfig, Example, MicroBatch]):
    """One process's part of a fine-tuning run."""

    kind = "sft"
    batch = staticmethod(micro_batch)

    def _read(self) -> None:
        data = self.recipe.data
        encode = Encoder(self.tokenizer, data.template)
        self.examples = read_examples(data.path, encode, data.max_tokens)

    def _build(self) -> None:
        self._start(Policy(self._load(load_model), temperature=1.0))

    def weight(self, rows: Sequence[Example]) -> int:
        return sum(int(row.trained[1:].sum()) for row in rows)

    def loss(self, packed: MicroBatch) -> tuple[Tensor, Sums]:
        stats, count = self.model(packed), len(packed.targets)
        lost = -stats.logprobs.sum()
        entropy = stats.entropy.detach().sum()
        return lost, {"train/loss": (lost.detach(), count), "policy/entropy": (entropy, count)}


def train(recipe: SftConfig) -> None:
    """Runs a recipe to its end, from its newest checkpoint if it has one."""
    with Run(recipe) as run:
        run.train()
