"""Our trainer on one case, with a verification service running beside it.

    python -m tests.bench.training_ours CASE.json

The whole of `trainer.grpo.train` as a recipe runs it, its log files and the verdicts over gRPC
included. Lengths are imposed by each request's `max_new_tokens`, without a token that stops.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.abc import MetaPathFinder
from pathlib import Path
from unittest import mock

from tests.bench.training_case import GIB, PROMPT_TOKENS, Case, Meter
from trainer.config import GrpoConfig
from trainer.grpo import train
from trainer.rollout.embedded import EmbeddedEngine
from trainer.rollout.engine import Completion, Request, Sampling
from trainer.run import Run
from verifier.embedded import EmbeddedServer

PHASES = ("generate", "verify", "train", "sync")


class WithoutPandas(MetaPathFinder):
    """The trainer does not need it; pyarrow loads it where it is installed: 53 MiB."""

    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] == "pandas":
            raise ModuleNotFoundError(name)


def recipe(case: Case, address: str, folder: Path) -> GrpoConfig:
    """What TRL is told, in our words."""
    # Never less than the longest completion needs, which bounds the search from below.
    budget = max(PROMPT_TOKENS + case.longest, case.micro_batch * (PROMPT_TOKENS + case.tokens))
    values = {
        "model": {"path": case.model, "dtype": case.dtype},
        "data": {
            "path": case.data,
            "template": "none",
            "shuffle": False,
            "max_prompt_tokens": PROMPT_TOKENS,
        },
        "rollout": {
            "prompts_per_rollout": case.prompts,
            "group_size": case.group,
            "max_new_tokens": case.longest,
            # Half of equal lengths at a time is half of the cache; of unequal ones most end soon.
            "batch_size": case.completions // (1 if case.long_tailed else 2),
        },
        "reward": {"address": address},
        "algorithm": {
            "preset": "grpo",
            "advantage": {"std_eps": 1e-4},
            "loss": {
                "aggregate": "token_mean",
                "clip_low": 0.2,
                "clip_high": 0.2,
                "dual_clip": 0,
                "kl_coef": case.kl_coef,
            },
        },
        "optimizer": {"lr": case.lr, "betas": [0.9, 0.95]},
        "budget": {"micro_batch_tokens": budget},
        "run": {
            "dir": str(folder),
            "steps": case.steps,
            "seed": case.seed,
            "threads": case.threads,
            "checkpoint_every": case.steps,
            "tensorboard": False,
        },
    }
    return GrpoConfig.model_validate_json(json.dumps(values))


def session(leader: int) -> Iterator[Path]:
    """Processes of the service."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader:
            yield path


def cpu_seconds(leader: int) -> float:
    ticks = 0
    for path in session(leader):
        fields = (path / "stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
    return ticks / 100  # USER_HZ


def peak_gib(leader: int) -> float:
    texts = ((path / "status").read_text() for path in session(leader))
    return sum(int(text.partition("VmHWM:")[2].split()[0]) for text in texts) * 1024 / GIB


def run(case: Case) -> None:
    with (
        EmbeddedServer("--log-level", "warning", "--sandbox", "none") as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        meter = Meter(case, lambda: time.process_time() + cpu_seconds(server.pid))
        generate, enter, write = EmbeddedEngine.generate, Run.__enter__, Run.write

        def impose(
            engine: EmbeddedEngine, requests: Sequence[Request], sampling: Sampling
        ) -> Iterator[tuple[int, Completion]]:
            lengths = case.lengths(len(meter.tokens))
            asked = [
                replace(request, max_new_tokens=length)
                for request, length in zip(requests, lengths, strict=True)
            ]
            made = 0
            for index, completion in generate(engine, asked, replace(sampling, stop_token_ids=())):
                assert len(completion.ids) == lengths[index]
                made += lengths[index]
                yield index, completion
            meter.tokens.append(made)

        def started(entered: Run) -> Run:
            enter(entered)
            meter.start()
            return entered

        def written(entered: Run, *arguments: object) -> None:
            write(entered, *arguments)  # type: ignore[arg-type]
            meter.step_ends()

        with (
            mock.patch.object(EmbeddedEngine, "generate", impose),
            mock.patch.object(Run, "__enter__", started),
            mock.patch.object(Run, "write", written),
        ):
            train(recipe(case, server.address, Path(folder)))
        logged = [json.loads(line) for line in (Path(folder) / "metrics.jsonl").open()]
        meter.note(
            [{name: row.get(f"time/{name}_s", 0.0) for name in PHASES} for row in logged],
            [row["reward/mean"] for row in logged],
        )
        print(meter.result(service_gib=peak_gib(server.pid)).dump())


if __name__ == "__main__":
    sys.meta_path.insert(0, WithoutPandas())
    run(Case(**json.loads(Path(sys.argv[1]).read_text())))
