"""GRPO of the training demo on each rollout engine, from the demo's base model: all learn alike?

    make train-demo && scripts/install-engines.sh && make bench PARTS=engines

Real servers of SGLang and vLLM on this machine's CPU get the weights after every step; rewards come
from a running service. The same recipe, prompts and seed; what is sampled differs by engine. The
mismatch is the median over a step's tokens of how far the engine's log-probability is from the
trainer's.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

from tests.trainer.engines import served
from trainer.log import read_metrics
from verifier.embedded import EmbeddedServer

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "build" / "train-demo"
RECIPE = ROOT / "examples" / "train_demo" / "grpo.toml"
ENGINES: tuple[Literal["sglang", "vllm"], ...] = ("sglang", "vllm")
CONTEXT = "512"
"""Tokens: the positions of the demo's model."""
STEPS, EVERY, SAMPLES = 10, 5, 4
"""GRPO steps, those between two evaluations, completions of each held-out problem."""


def settings(folder: Path, address: str, engine: list[str]) -> list[str]:
    """Of `touchstone-train grpo`, on top of the demo's recipe."""
    told = [
        f"model.path={DEMO / 'base'}", f"data.path={DEMO / 'rl.jsonl'}",
        f"eval.path={DEMO / 'held_out.jsonl'}", f"eval.every={EVERY}", f"eval.samples={SAMPLES}",
        f"reward.address={address}", f"run.dir={folder}", f"run.steps={STEPS}",
        "optimizer.schedule=constant", "run.tensorboard=false", *engine,
    ]  # fmt: skip
    return [word for one in told for word in ("--set", one)]


@contextmanager
def engine_settings(name: str, folder: Path) -> Iterator[list[str]]:
    """Starts what the engine needs."""
    with ExitStack() as stack:
        if name == "embedded":
            yield []
            return
        kind = "sglang" if name == "sglang" else "vllm"
        longest = {"sglang": "--context-length", "vllm": "--max-model-len"}[kind]
        server = stack.enter_context(served(kind, DEMO / "base", folder, longest, CONTEXT))
        yield [f"rollout.engine={name}", f"rollout.url={server.url}"]


def main(console: Console) -> dict[str, float]:
    if not (DEMO / "base").is_dir():
        console.print("engines: NOT RUN, there is no base model (make train-demo)")
        return {}
    figures: dict[str, float] = {}
    shown = range(0, STEPS + 1, EVERY)
    table = Table(
        *("engine", *(f"pass@1 at {step}" for step in shown), "mismatch", "s/step"),
        title=f"{STEPS} steps of GRPO, weights given after each",
        title_justify="left",
    )
    for name in ("embedded", *ENGINES):
        if name != "embedded" and not (ROOT / "build/engines" / name / "bin/python").exists():
            console.print(f"{name}: NOT RUN, it is not installed (scripts/install-engines.sh)")
            continue
        with (
            tempfile.TemporaryDirectory() as temporary,
            EmbeddedServer("--log-level", "warning", "--sandbox", "none") as service,
            engine_settings(name, Path(temporary)) as engine,
        ):
            folder = Path(temporary) / "run"
            command = [sys.executable, "-m", "trainer.cli", "grpo", str(RECIPE)]
            told = [*command, *settings(folder, service.address, engine)]
            done = subprocess.run(told, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"{name}: {done.stderr}")
            lines = read_metrics(folder)
        right = [line["eval/pass@1"] or 0.0 for line in lines if "eval/pass@1" in line]
        apart = [line["mismatch/logprob_abs_median"] or 0.0 for line in lines[:-1]]
        seconds = statistics.median(line["time/step_s"] or 0.0 for line in lines[:-1])
        figures |= {
            f"{name}_pass1_first": right[0],
            f"{name}_pass1_last": right[-1],
            f"{name}_mismatch_median": statistics.median(apart),
            f"{name}_mismatch_worst_step": max(apart),
            f"{name}_s_per_step": seconds,
        }
        table.add_row(name, *(f"{one:.1%}" for one in right), f"{max(apart):.1e}", f"{seconds:.1f}")
    console.print(table)
    return figures
