"""Everything that a run holds, put together from its recipe and taken apart at its end: `Base` for
runs of every kind, `Run` for those of GRPO."""

from __future__ import annotations

import logging
import os
import re
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import torch
import torch.distributed as dist
from safetensors.torch import save_file
from torch import Tensor

from trainer import checkpoint
from trainer.batch import IDLE, MicroBatch, Packed, Policy, Sample, by_prompt, micro_batch, rows_of
from trainer.checkpoint import CheckpointError
from trainer.collect import Collector, Group, check_groups, seed_of
from trainer.config import ConfigError, GrpoConfig, RewardModelConfig, SftConfig
from trainer.data import Prompt, read_prompts
from trainer.log import RolloutRow, RunLog, claimed, read_metrics, writing
from trainer.losses import Totals
from trainer.memory import explained
from trainer.metrics import Figures
from trainer.model import Decoder
from trainer.monitor import FLAGGED, Monitor
from trainer.optimize import (
    NotFinite,
    Optimizer,
    OptimizerSettings,
    TrainingStopped,
    make_optimizer,
)
from trainer.packing import pack
from trainer.parallel import local_slice, shard_of
from trainer.process import is_first, on_gpu, rank, release_memory, start_processes, start_torch
from trainer.rewards import Verification, read_recipe
from trainer.rollout.embedded import EmbeddedEngine
from trainer.rollout.engine import EngineAway, RolloutEngine
from trainer.rollout.schedule import Rollouts, patience
from trainer.rollout.verify_sync import SyncCheck
from trainer.scorer import RewardModel
from trainer.tokens import Tokenizer
from trainer.weights import load_model, read_config
from verifier.client import Verdict, VerificationFailed
from verifier.embedded import EmbeddedServer

log = logging.getLogger(__name__)

CHECK_PROMPTS, CHECK_TOKENS = 8, 64
"""Prompts, and tokens of each, on which a server's weights are compared with the trainer's after
each sync: enough for an old model to differ somewhere, and soon done."""


R = TypeVar("R", bound=GrpoConfig | SftConfig | RewardModelConfig)
D = TypeVar("D", bound=Decoder)


class Base(ABC, Generic[R]):
    """What one process holds of a run of any kind. Use as a context manager."""

    kind: ClassVar[str]
    """The command, which a checkpoint remembers."""
    steps: int
    """Steps in all."""
    optimizer: Optimizer
    reference: Policy | None = None

    def __init__(self, recipe: R) -> None:
        self.recipe = recipe
        self.first_step = 0
        self.log_files: RunLog | None = None
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        with self._exit:
            if os.environ.get("RANK", "0") == "0":
                self._exit.enter_context(claimed(self.recipe.run.dir))
            start_torch(self.recipe.run.threads, self.recipe.run.deterministic)
            self.layout, self.aside = start_processes(self.recipe.parallel.tp, self._longest_wait())
            self.device = (
                torch.device("cuda", torch.cuda.current_device())
                if on_gpu()
                else torch.device("cpu")
            )
            self.read()
            self._build()
            self._exit = self._exit.pop_all()  # nothing was raised: all stays until the end
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def read(self) -> None:
        """The tokenizer and the data: all of it that can be wrong without a server being asked.

        Raises ConfigError, TokenizerError, DataError.
        """
        model = self.recipe.model
        self.tokenizer = Tokenizer(model.tokenizer or model.path)
        with explained(model.path):
            self.tokenizer.check(read_config(model.path).vocab_size)
        self._read()

    @abstractmethod
    def _read(self) -> None:
        """The data, with the tokenizer that is there."""

    @abstractmethod
    def _build(self) -> None:
        """Puts the rest together, the newest checkpoint into it."""

    def _longest_wait(self) -> float:
        """Seconds that one rank may wait for what another waits for."""
        return 0.0

    def _state(self) -> dict[str, Any]:
        """What a checkpoint holds beside tensors."""
        return {}

    def _load(self, load: Callable[..., D]) -> D:
        model = self.recipe.model
        with explained(model.path):
            return load(
                model.path,
                dtype=getattr(torch, model.dtype),
                layout=self.layout,
                device=self.device,
                sequence_parallel=self.recipe.parallel.sequence_parallel,
                checkpoint_activations=model.checkpoint_activations,
            )

    def _resume(self, model: Policy | RewardModel, updates: int) -> dict[str, Any]:
        """Makes the optimizer, for so many updates in all. Returns the state of the newest
        checkpoint, once its tensors are in place; empty where there is none."""
        told = self.recipe.optimizer.model_dump()
        self.optimizer = make_optimizer(
            model,
            model.decoder,
            OptimizerSettings(**told, total_steps=updates),
            self.layout,
            self.recipe.parallel,
        )
        saved = checkpoint.steps(self._checkpoints)
        if not saved:
            return {}
        path = self._checkpoints / f"step-{saved[-1]:08d}"
        if (kind := checkpoint.read_state(path).get("kind")) != self.kind:
            of = f"touchstone-train {kind}" if kind else "an older version"
            raise CheckpointError(f"{path}: of {of}, this is touchstone-train {self.kind}")
        state = checkpoint.restore(path, self._held())
        self.first_step = state["step"]
        if self.first_step > self.steps:
            raise ConfigError(
                f"run.steps: at least the {self.first_step} that the run in "
                f"{self.recipe.run.dir} has made, got {self.steps}"
            )
        log.info("going on from %s", path)
        return state

    def _held(self) -> checkpoint.Held:
        return checkpoint.Held(self.optimizer, self.reference, self.layout)

    @property
    def _checkpoints(self) -> Path:
        return self.recipe.run.dir / "checkpoints"

    def _open_log(self) -> None:
        run = self.recipe.run
        if is_first():
            self.log_files = RunLog(
                run.dir,
                first_step=self.first_step,
                tensorboard=run.tensorboard,
                wandb=run.wandb,
                total_steps=self.steps,
                log_every=run.log_every,
                config=self.recipe,
            )
            self._exit.callback(self.log_files.close)

    @contextmanager
    def kept_if_bad(self, step: int, micro: Packed | None) -> Iterator[None]:
        """Saves the batch, and stops the run, when a number inside is not finite."""
        try:
            yield
        except (NotFinite, ValueError) as error:
            path = self.recipe.run.dir / f"bad-batch-step-{step}-rank-{rank()}.safetensors"
            if micro is not None:
                with writing(path):
                    save_file(micro.tensors(), path)
                raise TrainingStopped(f"step {step}: {error}; the batch is in {path}") from error
            raise TrainingStopped(f"step {step}: {error}; this rank had no batch") from error

    def checkpoint(self, step: int) -> None:
        """After so many steps, where it is due."""
        run = self.recipe.run
        if step % run.checkpoint_every == 0 or step == self.steps:
            model = str(self.recipe.model.path.resolve())
            state = {"kind": self.kind, "model": model, **self._state()}
            with writing(self._checkpoints):
                checkpoint.save(self._checkpoints, step, self._held(), state, run.keep_checkpoints)


class Run(Base[GrpoConfig]):
    """One process's part of a GRPO run."""

    kind = "grpo"

    def _longest_wait(self) -> float:
        return max(self.recipe.reward.wait_seconds, self.recipe.rollout.timeout_seconds)

    def _state(self) -> dict[str, Any]:
        return {"cursor": self.rollouts.cursor}

    def _read(self) -> None:
        recipe = self.recipe
        self.prompts = self._prompts(recipe.data.path)
        later = recipe.data.later.path
        self.later_prompts = self.prompts + ([] if later is None else self._prompts(later))
        self.eval_prompts = [] if recipe.eval.path is None else self._prompts(recipe.eval.path)
        check_groups(self.later_prompts, recipe.rollout.group_size, "rollout.group_size")
        check_groups(self.eval_prompts, recipe.eval.samples, "eval.samples")
        told = recipe.reward.recipe
        self.reward_recipe = None if told is None else read_recipe(told)

    def _build(self) -> None:
        recipe = self.recipe
        self.steps = recipe.run.steps
        self.patterns = {name: re.compile(text) for name, text in recipe.run.patterns.items()}
        decoder = self._load(load_model)
        engine = self._engine(decoder)
        self.policy = Policy(decoder, recipe.rollout.temperature)
        if recipe.algorithm.loss_settings().kl_coef:
            self.reference = Policy(self._load(load_model), recipe.rollout.temperature)
            self.reference.requires_grad_(False)
        updates = recipe.algorithm.mini_batches * recipe.algorithm.epochs * self.steps
        cursor = self._resume(self.policy, updates).get("cursor", 0)
        self.collector = Collector(
            engine,
            self._verification(),
            self.tokenizer,
            self.aside,
            self.reward_recipe,
        )
        self._sync_check: SyncCheck | None = None
        if recipe.rollout.engine != "embedded" and recipe.rollout.sync_tolerance:
            known = [prompt.ids[:CHECK_TOKENS] for prompt in self.prompts[:CHECK_PROMPTS]]
            if told := [ids for ids in known if len(ids) > 1]:
                self._sync_check = SyncCheck(told, recipe.rollout.sync_tolerance)
        self.rollouts = Rollouts(
            self.collector, self.prompts_at, recipe, self.aside, self._send, cursor
        )
        self._exit.callback(self.rollouts.close)
        self._open_log()
        self._monitor = Monitor()
        if self.log_files is not None:
            for line in read_metrics(recipe.run.dir):
                self._monitor.add(int(line["step"] or 0), line)
        self._warned = self._monitor.found is not None
        self.rollouts.sync(self.first_step)

    # ---- parts -----------------------------------------------------------------------

    def _prompts(self, path: Path) -> list[Prompt]:
        data = self.recipe.data
        return read_prompts(path, self.tokenizer, data.template, data.max_prompt_tokens)

    def _engine(self, decoder: Decoder) -> RolloutEngine | None:
        rollout, parallel = self.recipe.rollout, self.recipe.parallel
        engine: RolloutEngine
        if rollout.engine == "embedded":
            if rollout.staleness and self.layout.tp > 1:
                raise ConfigError(
                    "rollout.staleness: 0 where rollout.engine is embedded and parallel.tp above 1 "
                    f"(both would use the same process group at once), got {rollout.staleness}"
                )
            shared = not rollout.staleness and parallel.zero < 3
            if not shared:
                # Weights that change while it samples, or that ZeRO takes apart, are not its own:
                # it has an unset model of the same shape, for a sync to fill.
                kept = decoder.head_weight
                decoder = Decoder(
                    decoder.config, decoder.layout, device=kept.device, dtype=kept.dtype, seed=None
                )
            engine = EmbeddedEngine(decoder, rows=rollout.batch_size, shared=shared)
        elif self.layout.tp_rank:
            return None
        else:
            from trainer.rollout.sglang import SGLangEngine
            from trainer.rollout.vllm import VLLMEngine

            served = SGLangEngine if rollout.engine == "sglang" else VLLMEngine
            seconds = rollout.timeout_seconds
            engine = patience(seconds, EngineAway)(
                served, rollout.url, decoder.config, sync=rollout.sync, timeout_seconds=seconds
            )
        self._exit.callback(engine.close)
        return engine

    def _verification(self) -> Verification | None:
        reward, address = self.recipe.reward, self.recipe.reward.address
        if address == "embedded":
            # One for each machine: it listens to that machine alone.
            local = int(os.environ.get("LOCAL_RANK", "0"))
            if local == 0:
                server = EmbeddedServer("--log-level", "warning")
                address = self._exit.enter_context(server).address
            if dist.is_initialized():
                addresses = [address] * dist.get_world_size()
                dist.all_gather_object(addresses, address)
                address = addresses[rank() - local]
        if self.layout.tp_rank:
            return None
        verification = Verification(address, wait_seconds=reward.wait_seconds)
        self._exit.callback(verification.close)
        return verification

    # ---- what the loop asks for ------------------------------------------------------

    def prompts_at(self, step: int) -> list[Prompt]:
        """The problems that a step is drawn from."""
        joined = step >= self.recipe.data.later.from_step
        return self.later_prompts if joined else self.prompts

    def evaluates(self, step: int) -> bool:
        """Before this step (or after the last): every `eval.every` steps."""
        last = step == self.steps
        return bool(self.eval_prompts) and (last or step % self.recipe.eval.every == 0)

    def replace_reference(self, step: int) -> None:
        """After this step, where it is due: the reference becomes the policy."""
        every = self.recipe.algorithm.reference_every
        if self.reference is None or not every or (step + 1) % every:
            return
        held = dict(self.reference.decoder.named_parameters())
        for name, whole in self.optimizer.weights():
            held[name].data.copy_(local_slice(whole, shard_of(held[name])[0], self.layout))

    def warn_of_failures(self, step: int, groups: Sequence[Group]) -> None:
        """Says which completions have no reward though rules could tell, and why."""
        fine = (Verdict.Status.OK, Verdict.Status.UNDECIDED)
        if failed := [v for group in groups for v in group.verdicts if v.status not in fine]:
            log.warning("step %d: %s", step, VerificationFailed(failed))

    @contextmanager
    def clock(self, name: str, figures: Figures) -> Iterator[None]:
        """Adds the seconds spent inside. What the phase before has freed is given back first."""
        began = time.monotonic()
        release_memory()
        yield
        figures.add(f"time/{name}_s", time.monotonic() - began)

    def score(
        self, policy: Policy, samples: Sequence[Sample], temperature: float | None = None
    ) -> list[Tensor]:
        """Log-probabilities of each sample's completion tokens, without gradient."""
        found: list[Tensor] = [torch.empty(0)] * len(samples)
        with torch.no_grad():
            for micro, chosen, _ in self.micro_batches(samples, range(len(samples))):
                logprobs = policy(micro, temperature=temperature).logprobs
                if chosen:  # of a pack without places there are parts all the same
                    for n, part in zip(chosen, logprobs.split(micro.counts), strict=True):
                        found[n] = part
        return found

    def parts(self, step: int, samples: int) -> Iterator[list[int]]:
        """Random mini-batches, `mini_batches` of them in each epoch, of this rank's samples."""
        algorithm = self.recipe.algorithm
        for epoch in range(algorithm.epochs):
            seed = seed_of(self.recipe.run.seed, step, epoch, self.layout.dp_rank)
            order = torch.randperm(samples, generator=torch.Generator().manual_seed(seed))
            for part in order.tensor_split(algorithm.mini_batches):
                yield part.tolist()

    def totals(self, lengths: Sequence[int], moved: int) -> Totals | None:
        """Of a mini-batch over all ranks; None where none of its samples moves the policy."""
        sums = torch.tensor([sum(lengths), len(lengths), moved])
        if self.layout.dp > 1:
            sums = sums.to(self.device)
            dist.all_reduce(sums, group=self.layout.dp_group)
        tokens, sequences, moving = sums.tolist()
        most = self.recipe.rollout.max_new_tokens
        return Totals(tokens, sequences, most) if moving else None

    def micro_batches(
        self, samples: Sequence[Sample], chosen: Sequence[int]
    ) -> Iterator[tuple[MicroBatch, list[int], bool]]:
        """The chosen samples in packs, each with its samples' places, and whether it's the last.

        Under ZeRO all data-parallel ranks get the same number of packs, some of which may have no
        places: what is computed of those does not count.
        """
        budget = self.recipe.budget.micro_batch_tokens
        units = by_prompt(samples, chosen, budget)
        lengths = [rows_of([samples[n] for n in unit]) for unit in units]
        packs = pack(lengths, budget)
        if self.recipe.parallel.zero and self.layout.dp > 1:
            most = torch.tensor(max(1, len(packs)), device=self.device)
            dist.all_reduce(most, dist.ReduceOp.MAX, group=self.layout.dp_group)
            packs = pack(lengths, budget, multiple=int(most)) or [[]] * int(most)
        for number, pack_ in enumerate(packs):
            places = [n for unit in pack_ for n in units[unit]]
            micro = micro_batch([samples[n] for n in places] or [IDLE], self.device)
            yield micro, places, number == len(packs) - 1

    def _send(self, version: int) -> None:
        # Collective: whole tensors come from all ranks, also where only the first sends them.
        weights = self.optimizer.weights()
        engine = self.collector.engine
        try:
            if engine is not None and (isinstance(engine, EmbeddedEngine) or is_first()):
                engine.sync(weights, version)
        finally:
            for _ in weights:
                pass
        if self._sync_check is not None:
            # The first token of each has no log-probability.
            samples = [
                Sample(ids[:1], ids[1:], (0.0,) * (len(ids) - 1), 0.0)
                for ids in self._sync_check.sequences
            ]
            ours = [part.tolist() for part in self.score(self.policy, samples, temperature=1.0)]
            if is_first() and engine is not None:
                self._sync_check(engine, ours)

    def write(self, step: int, figures: Figures, began: float, rows: list[RolloutRow]) -> None:
        """Logs a step. Collective over the data-parallel ranks."""
        if self.layout.tp_rank:
            return
        figures.most("time/step_s", time.monotonic() - began)
        metrics = figures.merged(self.layout.dp_group, self.layout.dp)
        if self.layout.dp > 1:
            everyone: list[list[RolloutRow]] = [[]] * self.layout.dp
            dist.all_gather_object(everyone, rows, group=self.layout.dp_group)
            rows = [row for part in everyone for row in part]
        if self.log_files is not None:
            metrics |= self._watched(step, metrics)
            if rows:
                seconds = metrics["time/step_s"]
                metrics["rate/completions_per_s"] = len(rows) / seconds
                metrics["rate/tokens_per_s"] = sum(row.tokens for row in rows) / seconds
                self.log_files.rollouts(step, rows)
            self.log_files.step(step, metrics)
        if metrics.get("reward/failed_share") == 1 and self.recipe.reward.on_failure == "mask":
            found = Counter(row.status for row in rows)
            raise TrainingStopped(
                f"step {step}: none of {len(rows)} completions has a reward, nothing is left to "
                f"train on: {', '.join(f'{count} {status}' for status, count in found.items())}"
            )

    def _watched(self, step: int, metrics: Mapping[str, float]) -> dict[str, float]:
        """What the monitor of reward hacking says of a step, at the terminal too the first time."""
        if not self.recipe.run.monitor:
            return {}
        self._monitor.add(step, metrics)
        found = self._monitor.found
        if found is not None and not self._warned:
            log.warning("step %d: %s", step, found)
            self._warned = True
        return {FLAGGED: float(found is not None)} if self._monitor.watches else {}
