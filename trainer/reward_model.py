"""Training a reward model: a decoder with a scalar head learns which of two responses is better,
or whether one is good (DeepSeek-R1, arXiv 2501.12948v2, section 3.1). The loss of an update is the
mean over its rows.

Run as `touchstone-train reward-model recipe.toml`, alone or under torchrun; one that was broken off
goes on. The loop is in `trainer/epochs.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor

from trainer.config import RewardModelConfig
from trainer.epochs import EpochRun, Sums
from trainer.preference_data import Conversations, Rated, RatedBatch, batch, read_rated
from trainer.preference_losses import Pairs, Points, binary_cross_entropy, bradley_terry
from trainer.scorer import RewardModel, load_scorer


class Run(EpochRun[RewardModelConfig, Rated, RatedBatch]):
    """One process's part of the training of a reward model."""

    kind = "reward-model"
    batch = staticmethod(batch)

    def _read(self) -> None:
        data, held_out = self.recipe.data, self.recipe.eval
        read = Conversations(self.tokenizer, data.kind)
        self.examples = read_rated(data.path, read, data.max_tokens)
        if held_out.path is not None:
            self.held_out = read_rated(held_out.path, read, data.max_tokens)
        self.eval_every = held_out.every

    def _build(self) -> None:
        self._start(RewardModel(self._load(partial(load_scorer, seed=self.recipe.run.seed))))

    def weight(self, rows: Sequence[Rated]) -> int:
        return len(rows)

    def loss(self, packed: RatedBatch) -> tuple[Tensor, Sums]:
        scores = self.model(packed)
        if self.recipe.data.kind == "pairwise":  # a row has two scores
            judged = bradley_terry(Pairs(*scores.view(-1, 2).unbind(1)))
        else:
            judged = binary_cross_entropy(Points(scores, packed.labels))
        loss, count = judged.loss.sum(), len(judged.loss)
        return loss, {
            "train/loss": (loss.detach(), count),
            "train/accuracy": (judged.right.sum(), count),
            "train/margin": (judged.margin.sum(), count),
        }


def train(recipe: RewardModelConfig) -> None:
    """Runs a recipe to its end, from its newest checkpoint if it has one."""
    with Run(recipe) as run:
        run.train()
