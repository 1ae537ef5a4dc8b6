"""When to sample what: in turn with training, or one step ahead of it.

Invariants: with staleness 0 a step is sampled with the newest weights; with staleness 1 it is
sampled, while the step before it is trained on, with the weights that step began with. Weights
are synced only while nothing is sampled, so what a step is made of never depends on time. A dead
engine is waited for; when it is back it gets the weights again, and the step is sampled anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import tenacity
import torch.distributed as dist

from trainer.collect import Collected, Collector, Group
from trainer.config import GrpoConfig
from trainer.data import Prompt, draw
from trainer.metrics import Figures
from trainer.parallel import Layout
from trainer.rollout.engine import EngineError, Sampling

T = TypeVar("T")

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 15.0
"""Between two tries to reach an engine."""


def patience(seconds: float, kind: type[EngineError]) -> tenacity.Retrying:
    """Tries that go on for so long while such errors come, each with a line that says so."""

    def told(state: tenacity.RetryCallState) -> None:
        assert state.outcome is not None
        log.warning("rollouts: %s; waiting for the engine", state.outcome.exception())

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(kind),
        wait=tenacity.wait_exponential(max=LONGEST_WAIT_S),
        stop=tenacity.stop_after_delay(seconds),
        before_sleep=told,
        reraise=True,
    )


class Rollouts:
    """The steps of a run, one after the other. `prompts(step)` are the problems there are at a
    step; `send(version)` gives the engine the weights."""

    def __init__(
        self,
        collector: Collector,
        prompts: Callable[[int], Sequence[Prompt]],
        recipe: GrpoConfig,
        layout: Layout,
        send: Callable[[int], None],
        cursor: int,
    ) -> None:
        self._collector, self._prompts, self._recipe = collector, prompts, recipe
        self._layout, self._send = layout, send
        self._version = 0
        self._drawn = cursor
        self._ahead: Future[list[Collected]] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rollouts")
        rollout = recipe.rollout
        self._sampling = Sampling(
            rollout.max_new_tokens,
            rollout.temperature,
            rollout.top_p,
            rollout.top_k,
            collector.tokenizer.stop_token_ids,
        )
        self.cursor = cursor
        """Prompts drawn for the steps that were taken: where a resumed run goes on."""

    def take(self, step: int, figures: Figures) -> list[Group]:
        """A step's groups on this rank; with staleness 1 the next step, which is to be taken next,
        is begun."""
        parts = self._waiting_for_engine(lambda: self._step(step))
        self.cursor = self._drawn
        for part in parts:
            figures.add("time/generate_s", part.generate_s)
            figures.add("time/verify_s", part.verify_s)
        groups = [group for part in parts for group in part.groups]
        figures.add("rollout/groups_sampled", len(groups))
        if self._recipe.algorithm.dynamic_sampling:
            groups.sort(key=lambda group: not _varied(group))
        lag = step - min(c.spans[0].version for group in groups for c in group.completions)
        figures.most("mismatch/weight_version_lag", lag)
        if self._recipe.rollout.staleness and step + 1 < self._recipe.run.steps:
            self._ahead = self._thread.submit(self._collect, step + 1)
        return groups[: self._share()]

    def sync(self, version: int) -> None:
        """Gives the engine these weights as soon as it has sampled what it is at."""
        self._version = version
        if self._ahead is not None:
            self._ahead.exception()  # waits; an error is met by `take`
        self._waiting_for_engine(lambda: self._send(version))

    def close(self) -> None:
        """Begins nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _share(self) -> int:
        return self._recipe.rollout.prompts_per_rollout // self._layout.dp

    def _step(self, step: int) -> list[Collected]:
        ahead, self._ahead = self._ahead, None
        return self._collect(step) if ahead is None else ahead.result()

    def _collect(self, step: int) -> list[Collected]:
        """Samples a step, with further prompts in place of groups of equal rewards."""
        rollout, seed = self._recipe.rollout, self._recipe.run.seed
        start, count = self.cursor, rollout.prompts_per_rollout
        parts: list[Collected] = []
        for more in range(1 + self._recipe.algorithm.dynamic_sampling):
            drawn = draw(self._prompts(step), start, count, seed, self._recipe.data.shuffle)
            start += count
            lot = (seed, step, more)
            parts.append(
                self._agreed(
                    partial(self._collector.collect, drawn, rollout.group_size, self._sampling, lot)
                )
            )
            found = sum(_varied(group) for part in parts for group in part.groups)
            if not self._any_rank(found < self._share()):
                break
        self._drawn = start
        return parts

    def _waiting_for_engine(self, attempt: Callable[[], T]) -> T:
        """`attempt()`, and again with the weights sent anew as long as some rank's engine fails."""
        again = False

        def try_() -> T:
            nonlocal again
            again, sends = True, again
            if sends:
                self._send(self._version)
            return attempt()

        patient = patience(self._recipe.rollout.timeout_seconds, EngineError)
        return patient(lambda: self._agreed(try_))

    def _agreed(self, attempt: Callable[[], T]) -> T:
        """`attempt()`, which fails on all ranks where it fails on one: they go on alike."""
        error, result = None, None
        try:
            result = attempt()
        except EngineError as caught:
            error = caught
        if self._any_rank(error is not None):
            raise error or EngineError("the engine of another rank failed")
        return result  # type: ignore[return-value]

    def _any_rank(self, flag: bool) -> bool:
        if self._layout.dp * self._layout.tp == 1:
            return flag
        flags: list[bool] = [False] * dist.get_world_size()
        dist.all_gather_object(flags, flag, group=self._layout.group)
        return any(flags)


def _varied(group: Group) -> bool:
    rewards = {verdict.reward for verdict in group.verdicts if verdict.HasField("reward")}
    return len(rewards) > 1
