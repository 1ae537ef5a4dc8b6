"""Supervised fine-tuning, top to bottom: encode, shuffle, pack, update, log, save.

The loss of an update is the mean over its trained tokens of -log p, of all ranks together
(DeepSeek-R1, arXiv 2501.12948v2, B.4.2: cosine to a tenth of the learning rate). Run as
`touchstone-train sft recipe.toml`, alone or under torchrun; one that was broken off goes on.

Invariants: which rows an update has depends on the seed and its number alone; a sample never sees
another; how an update is cut into micro-batches changes memory and rounding, and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch

from trainer.batch import MicroBatch, Policy
from trainer.chat import Encoder, Example, read_examples
from trainer.config import SftConfig
from trainer.data import draw
from trainer.metrics import Figures
from trainer.packing import balance, pack
from trainer.run import Base


def train(recipe: SftConfig) -> None:
    """Runs a recipe to its end, from its newest checkpoint if it has one."""
    with Run(recipe) as run:
        for step in range(run.first_step, run.steps):
            figures, began = Figures(), time.monotonic()
            rows = run.rows(step)
            update(run, step, rows, figures)
            run.write(step, rows, figures, began)
            run.checkpoint(step + 1)


def update(run: Run, step: int, rows: list[int], figures: Figures) -> None:
    """One update from the examples at `rows`, of which each rank goes through its share."""
    counted = sum(int(run.examples[row].trained[1:].sum()) for row in rows)
    for places, last in run.micro_batches(rows):
        # A rank without work of its own goes through an example that counts nothing: ranks that
        # share out their weights (ZeRO 3) must all call the model equally often.
        chosen = [run.examples[row] for row in places or rows[:1]]
        micro = micro_batch(chosen, run.device)
        with run.kept_if_bad(step, micro):
            stats = run.model(micro)
            lost = -stats.logprobs.sum() if places else 0.0 * stats.logprobs.sum()
            run.optimizer.backward(lost / counted, last=last)
        if places:
            figures.add("train/loss", float(lost.detach()), len(micro.targets))
            figures.add("policy/entropy", float(stats.entropy.detach().sum()), len(micro.targets))
    with run.kept_if_bad(step, micro):
        done = run.optimizer.step()
    figures.add("policy/grad_norm", done.grad_norm)
    figures.add("policy/lr", done.lr)


def micro_batch(examples: list[Example], device: torch.device) -> MicroBatch:
    """Packs examples one after the other; a trained token is predicted from the one before it."""
    lengths = [len(example.ids) for example in examples]
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


class Run(Base[SftConfig]):
    """One process's part of a fine-tuning run."""

    kind = "sft"

    def _read(self) -> None:
        data = self.recipe.data
        encode = Encoder(self.tokenizer, data.template)
        self.examples = read_examples(data.path, encode, data.max_tokens)

    def _build(self) -> None:
        data = self.recipe.data
        self._end = self.recipe.run.steps * data.batch_size or data.epochs * len(self.examples)
        self.steps = -(-self._end // data.batch_size)
        self.model = Policy(self._load(), temperature=1.0)
        self._resume(self.model, self.steps)
        self._open_log()

    def rows(self, step: int) -> list[int]:
        """Of the update with this number, over all ranks: the next of the endless row of epochs,
        each of them shuffled anew."""
        data = self.recipe.data
        start = step * data.batch_size
        count = min(data.batch_size, self._end - start)
        every = range(len(self.examples))
        return draw(every, start, count, self.recipe.run.seed, data.shuffle)

    def micro_batches(self, rows: list[int]) -> Iterator[tuple[list[int], bool]]:
        """This rank's packs of rows, as many as every rank has, and whether it is the last."""
        lengths = [len(self.examples[row].ids) for row in rows]
        packs = pack(lengths, self.recipe.budget.micro_batch_tokens, multiple=self.layout.dp)
        costs = [sum(lengths[place] for place in one) for one in packs]
        mine = balance(costs, self.layout.dp)[self.layout.dp_rank]
        for number in mine:
            yield [rows[place] for place in packs[number]], number == mine[-1]

    def write(self, step: int, rows: list[int], figures: Figures, began: float) -> None:
        """Logs a step. Collective over the data-parallel ranks."""
        if self.layout.tp_rank:
            return
        lengths = [len(self.examples[row].ids) for row in rows]
        figures.most("time/step_s", time.monotonic() - began)
        metrics = figures.merged(self.layout.dp_group, self.layout.dp)
        done = min((step + 1) * self.recipe.data.batch_size, self._end)
        metrics["train/epoch"] = done / len(self.examples)
        metrics["length/mean"], metrics["length/max"] = sum(lengths) / len(rows), max(lengths)
        metrics["rate/tokens_per_s"] = sum(lengths) / metrics["time/step_s"]
        if self.log_files is not None:
            self.log_files.step(step, metrics)
