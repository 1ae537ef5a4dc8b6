"""Training a reward model, top to bottom: encode, shuffle, pack, update, log, evaluate, save.

A decoder with a scalar head learns which of two responses is better, or whether one is good
(DeepSeek-R1, arXiv 2501.12948v2, section 3.1). Run as `touchstone-train reward-model recipe.toml`,
alone or under torchrun; one that was broken off goes on.

Invariants: the loss of an update is the mean over its rows, of all ranks together; which rows it
has depends on the seed and its number alone; how it is cut into micro-batches changes memory and
rounding, and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from trainer.config import RewardModelConfig
from trainer.data import draw
from trainer.memory import explained
from trainer.metrics import Figures
from trainer.packing import balance, pack
from trainer.preference_data import Conversations, Rated, RatedBatch, batch, read_rated
from trainer.preference_losses import Judged, Pairs, Points, binary_cross_entropy, bradley_terry
from trainer.run import Base
from trainer.scorer import RewardModel, Scorer, load_scorer


def train(recipe: RewardModelConfig) -> None:
    """Runs a recipe to its end, from its newest checkpoint if it has one."""
    with Run(recipe) as run:
        for step in range(run.first_step, run.steps):
            figures, began = Figures(), time.monotonic()
            if run.evaluates(step):
                evaluate(run, figures)
            rows = run.rows(step)
            update(run, step, rows, figures)
            run.write(step, rows, figures, began)
            run.checkpoint(step + 1)
        if run.evaluates(run.steps):
            figures, began = Figures(), time.monotonic()
            evaluate(run, figures)
            run.write(run.steps, [], figures, began)


def update(run: Run, step: int, rows: list[Rated], figures: Figures) -> None:
    """One update from these rows, of which each rank goes through its share."""
    for chosen, counts, last in run.micro_batches(rows):
        packed = batch(chosen, run.device)
        with run.kept_if_bad(step, packed):
            judged = judge(run.recipe.data.kind, run.model(packed), packed)
            lost = judged.loss.sum() if counts else 0.0 * judged.loss.sum()
            run.optimizer.backward(lost / len(rows), last=last)
        if counts:
            tell(figures, "train", judged)
    with run.kept_if_bad(step, packed):
        done = run.optimizer.step()
    figures.add("policy/grad_norm", done.grad_norm)
    figures.add("policy/lr", done.lr)


@torch.no_grad()
def evaluate(run: Run, figures: Figures) -> None:
    """Goes through the held-out rows."""
    for chosen, counts, _ in run.micro_batches(run.held_out):
        packed = batch(chosen, run.device)
        judged = judge(run.recipe.data.kind, run.model(packed), packed)
        if counts:
            tell(figures, "eval", judged)


def judge(kind: str, scores: Tensor, packed: RatedBatch) -> Judged:
    """Scores [N] of conversations as losses of rows: a row of pairs has two of them."""
    if kind == "pairwise":
        chosen, rejected = scores.view(-1, 2).unbind(1)
        return bradley_terry(Pairs(chosen, rejected))
    return binary_cross_entropy(Points(scores, packed.labels))


def tell(figures: Figures, where: str, judged: Judged) -> None:
    """Means over rows."""
    count = len(judged.loss)
    figures.add(f"{where}/loss", float(judged.loss.detach().sum()), count)
    figures.add(f"{where}/accuracy", float(judged.right.sum()), count)
    figures.add(f"{where}/margin", float(judged.margin.sum()), count)


class Run(Base[RewardModelConfig]):
    """One process's part of the training of a reward model."""

    kind = "reward-model"

    def _read(self) -> None:
        read = Conversations(self.tokenizer, self.recipe.data.kind)

        def rated(path: Path | None) -> list[Rated]:
            return [] if path is None else read_rated(path, read, self.recipe.data.max_tokens)

        self.rated, self.held_out = rated(self.recipe.data.path), rated(self.recipe.eval.path)

    def _build(self) -> None:
        data = self.recipe.data
        self._end = self.recipe.run.steps * data.batch_size or data.epochs * len(self.rated)
        self.steps = -(-self._end // data.batch_size)
        self.model = RewardModel(self._load())
        self._resume(self.model, self.steps)
        self._open_log()

    def _load(self) -> Scorer:
        model = self.recipe.model
        with explained(model.path):
            return load_scorer(
                model.path,
                seed=self.recipe.run.seed,
                dtype=getattr(torch, model.dtype),
                layout=self.layout,
                device=self.device,
                sequence_parallel=self.recipe.parallel.sequence_parallel,
                checkpoint_activations=model.checkpoint_activations,
            )

    def rows(self, step: int) -> list[Rated]:
        """Of the update with this number, over all ranks: the next of the endless row of epochs,
        each of them shuffled anew."""
        data = self.recipe.data
        start = step * data.batch_size
        count = min(data.batch_size, self._end - start)
        return draw(self.rated, start, count, self.recipe.run.seed, data.shuffle)

    def micro_batches(self, rows: Sequence[Rated]) -> Iterator[tuple[list[Rated], bool, bool]]:
        """This rank's packs of rows, as many as every rank has; whether a pack counts, which it
        does not where a rank has only to go through the model with the others; whether it is the
        last."""
        tokens = [row.tokens for row in rows]
        packs = pack(tokens, self.recipe.budget.micro_batch_tokens, multiple=self.layout.dp)
        costs = [sum(tokens[place] for place in one) for one in packs]
        mine = balance(costs, self.layout.dp)[self.layout.dp_rank]
        for number in mine:
            chosen = [rows[place] for place in packs[number]]
            yield chosen or [rows[0]], bool(chosen), number == mine[-1]

    def evaluates(self, step: int) -> bool:
        """Before this step (or after the last): every `eval.every` steps."""
        return bool(self.held_out) and (step == self.steps or step % self.recipe.eval.every == 0)

    def write(self, step: int, rows: Sequence[Rated], figures: Figures, began: float) -> None:
        """Logs a step. Collective over the data-parallel ranks."""
        if self.layout.tp_rank:
            return
        figures.most("time/step_s", time.monotonic() - began)
        metrics = figures.merged(self.layout.dp_group, self.layout.dp)
        if rows:
            data = self.recipe.data
            metrics["train/epoch"] = min((step + 1) * data.batch_size, self._end) / len(self.rated)
            lengths = [len(ids) for row in rows for ids in row.conversations]
            metrics["length/mean"], metrics["length/max"] = (
                sum(lengths) / len(lengths),
                max(lengths),
            )
            metrics["rate/tokens_per_s"] = sum(lengths) / metrics["time/step_s"]
        if self.log_files is not None:
            self.log_files.step(step, metrics)
