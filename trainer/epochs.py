"""Training on a file's rows, epoch after epoch, top to bottom: draw, pack, update, evaluate, log,
save. A step is one update. `trainer/sft.py` and `trainer/reward_model.py` are what it is made for.

Invariants: the loss of an update is a mean over all ranks' rows, or their tokens, together; which
rows it has depends on the seed and its number alone; how it is cut into micro-batches changes
memory and rounding, and nothing else.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

import torch
from torch import Tensor

from trainer.batch import Packed, Policy
from trainer.config import RewardModelConfig, SftConfig
from trainer.data import Encoded, draw
from trainer.metrics import Figures
from trainer.packing import balance, pack
from trainer.run import Base
from trainer.scorer import RewardModel

R = TypeVar("R", bound=SftConfig | RewardModelConfig)
E = TypeVar("E", bound=Encoded)
B = TypeVar("B", bound=Packed)
Sums = Mapping[str, tuple[Tensor, int]]
"""Metrics by name: what was added up, over how many."""


class EpochRun(Base[R], Generic[R, E, B]):
    """One process's part of a run on examples E, of which batches B go through the model."""

    examples: list[E]
    """What is trained on."""
    held_out: list[E] | None = None
    """What is evaluated on."""
    eval_every = 1
    """Steps between two evaluations."""
    batch: Callable[[Sequence[E], torch.device], B]
    """Packs examples."""

    @abstractmethod
    def weight(self, rows: Sequence[E]) -> int:
        """What the loss of an update of these rows is divided by."""

    @abstractmethod
    def loss(self, packed: B) -> tuple[Tensor, Sums]:
        """The sum over a batch, and what there is to say of it."""

    def train(self) -> None:
        """All steps that are left."""
        for step in range(self.first_step, self.steps):
            figures, began = Figures(), time.monotonic()
            if step % self.eval_every == 0:
                self.evaluate(figures)
            rows = self.rows(step)
            self.update(step, rows, figures)
            self.write(step, rows, figures, began)
            self.checkpoint(step + 1)
        if self.held_out:
            figures, began = Figures(), time.monotonic()
            self.evaluate(figures)
            self.write(self.steps, [], figures, began)

    def rows(self, step: int) -> list[E]:
        """Of the update with this number, over all ranks: the next of the endless row of epochs,
        each of them shuffled anew."""
        data = self.recipe.data
        start = step * data.batch_size
        count = min(data.batch_size, self._end - start)
        return draw(self.examples, start, count, self.recipe.run.seed, data.shuffle)

    def update(self, step: int, rows: list[E], figures: Figures) -> None:
        """One update from these rows, of which each rank goes through its share."""
        weight = self.weight(rows)
        for chosen, counts, last in self.micro_batches(rows):
            packed = self.batch(chosen, self.device)
            with self.kept_if_bad(step, packed):
                loss, sums = self.loss(packed)
                self.optimizer.backward((loss if counts else 0.0 * loss) / weight, last=last)
            if counts:
                figures.add_all(sums, {})
        with self.kept_if_bad(step, packed):
            done = self.optimizer.step()
        figures.add("policy/grad_norm", done.grad_norm)
        figures.add("policy/lr", done.lr)

    @torch.no_grad()
    def evaluate(self, figures: Figures) -> None:
        """Goes through what is held out."""
        for chosen, counts, _ in self.micro_batches(self.held_out or []):
            _, sums = self.loss(self.batch(chosen, self.device))
            if counts:
                figures.add_all({name.replace("train", "eval"): s for name, s in sums.items()}, {})

    def micro_batches(self, rows: Sequence[E]) -> Iterator[tuple[list[E], bool, bool]]:
        """This rank's packs of rows; whether a pack counts; whether it is the last.

        All ranks get the same number of packs, since under ZeRO 3 they must call the model equally
        often. One that does not count only has its rank go through the model with the others.
        """
        tokens = [row.tokens for row in rows]
        packs = pack(tokens, self.recipe.budget.micro_batch_tokens, multiple=self.layout.dp)
        costs = [sum(tokens[place] for place in one) for one in packs]
        mine = balance(costs, self.layout.dp)[self.layout.dp_rank]
        for number in mine:
            chosen = [rows[place] for place in packs[number]]
            yield chosen or [rows[0]], bool(chosen), number == mine[-1]

    def write(self, step: int, rows: Sequence[E], figures: Figures, began: float) -> None:
        """Logs a step. Collective over the data-parallel ranks."""
        if self.layout.tp_rank:
            return
        figures.most("time/step_s", time.monotonic() - began)
        metrics = figures.merged(self.layout.dp_group, self.layout.dp)
        if rows:
            done = min((step + 1) * self.recipe.data.batch_size, self._end)
            lengths = [length for row in rows for length in row.lengths]
            metrics["train/epoch"] = done / len(self.examples)
            metrics["length/mean"] = sum(lengths) / len(lengths)
            metrics["length/max"] = max(lengths)
            metrics["rate/tokens_per_s"] = sum(lengths) / metrics["time/step_s"]
        if self.log_files is not None:
            self.log_files.step(step, metrics)

    def _start(self, model: Policy | RewardModel) -> None:
        data = self.recipe.data
        self._end = self.recipe.run.steps * data.batch_size or data.epochs * len(self.examples)
        self.steps = -(-self._end // data.batch_size)
        self.model = model
        self._resume(model, self.steps)
        self._open_log()
