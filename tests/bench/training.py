"""Whole GRPO steps beside TRL's GRPOTrainer in the same run: time, memory, learning.

    python -m tests.bench.training [CASE ...]

Both train the same random Qwen2 (fp32 or bf16 weights) on the same prompts, 64 of 8 completions a
step, one update each, with the same loss (clipped at 0.2, mean over tokens) and the same reward:
the share of words in the language that the prompt's first word asks for. TRL has it as a function;
ours asks a running verification service over gRPC, whose CPU time counts. Every completion has the
same length in both: 64 tokens, or long-tailed ones (log-normal, mean 64, cap 512).

Each run is a process of its own, both sides by turns (A B A B), medians of all. Each side has the
micro-batch that a short search found: the smallest within SLACK of the fastest. TRL's environment
(PEER, in build/) is made here; where it cannot be had, its column says so.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.training_case import Case, Measured, write_data

ROOT = Path(__file__).parents[2]
PEER = (
    "trl==1.16.0",
    "torch==2.13.0",
    "transformers==5.24.0",
    "accelerate==1.15.0",
    "datasets==5.2.0",
)
SIZES = {
    "1m": (128, 4),
    "10m": (384, 6),
    "0.5b": (896, 24, 64, 2, 4864, 151_936),
}
"""What `write_model` takes: hidden size, layers, and for Qwen2.5's 0.5B the rest."""
PROMPTS = 256
"""Rows of data, used in order and again."""
ROUNDS = 3
MICRO_BATCHES = (4, 8, 16, 32, 64, 128)
"""Completions; ours packs as many tokens as that many of mean length have."""
SEARCH_PROMPTS, SEARCH_STEPS, SEARCHES = 16, 3, 2
"""A quarter of a step tells which micro-batch is fastest, in the better of two runs by turns: on a
shared machine one alone may say that half of the size, or twice, is."""
SLACK = {"TRL": 1.03, "ours": 1.1}
"""The smallest micro-batch within so much of the fastest; ours gives speed for memory."""
SECONDS_AT_MOST = 3600.0
"""Of one run of one side."""
THREADS = min(2, os.cpu_count() or 1)

SIDES = ("TRL", "ours")


@dataclass(frozen=True)
class Compared:
    """A case, and what is told of it."""

    name: str
    size: str
    dtype: str
    kl_coef: float = 0.0
    long_tailed: bool = False
    steps: int = 4
    rounds: int = ROUNDS
    tokens: int = 64
    micro_batch: int = 0
    """0: searched for."""


CASES = (
    Compared("1m fp32", "1m", "float32"),
    Compared("1m fp32 kl", "1m", "float32", kl_coef=0.001),
    Compared("1m bf16", "1m", "bfloat16"),
    Compared("1m fp32 long", "1m", "float32", long_tailed=True, steps=3, rounds=1),
    Compared("10m fp32", "10m", "float32", steps=3, rounds=2),
    Compared("10m bf16", "10m", "bfloat16", steps=3, rounds=2),
    Compared("10m fp32 long", "10m", "float32", long_tailed=True, steps=2, rounds=1),
)
LEARNING = "learning"
LEARNING_SEEDS, LEARNING_STEPS, LEARNING_PROMPTS, LEARNING_LR = (1, 2, 3), 160, 16, 1e-3
LAST = 10
"""Steps at the end whose mean reward is compared."""


class Failed(Exception):
    """A run that gave no figures; the message is the end of what it said."""


class Bench:
    """The two sides, their models and prompts."""

    def __init__(self, folder: Path, peer: Path | None) -> None:
        self._folder, self._peer = folder, peer
        self._data = folder / "prompts.jsonl"
        write_data(self._data, PROMPTS, seed=0)
        self._best: dict[tuple[str, str, str, bool], int] = {}

    @property
    def sides(self) -> tuple[str, ...]:
        return SIDES if self._peer is not None else SIDES[1:]

    def model(self, size: str) -> Path:
        """A random model in Hugging Face's format."""
        path = self._folder / size
        if not path.is_dir():
            call(sys.executable, "tests.bench.training_case", str(path), *map(str, SIZES[size]))
        return path

    def run(self, side: str, case: Case) -> Measured:
        path = self._folder / "case.json"
        path.write_text(json.dumps(asdict(case)))
        if side == "ours":
            said = call(sys.executable, "tests.bench.training_ours", str(path))
        else:
            said = call(str(self._peer), "tests.bench.training_trl", str(path))
        return Measured(**json.loads(said.splitlines()[-1]))

    def update(self, case: Case) -> tuple[float, float]:
        """Of one update on TRL's first rollout: norm of the difference to norm of TRL's, and the
        share of weights that are within a tenth of the rate."""
        path, first = self._folder / "case.json", self._folder / "first.pt"
        path.write_text(json.dumps(asdict(replace(case, steps=1, warm_up=0))))
        call(str(self._peer), "tests.bench.training_trl", str(path), str(first))
        said = call(sys.executable, "tests.bench.training_update", str(path), str(first))
        difference, same = json.loads(said.splitlines()[-1])
        return difference, same

    def case(self, told: Compared) -> Case:
        return Case(
            model=str(self.model(told.size)),
            data=str(self._data),
            dtype=told.dtype,
            kl_coef=told.kl_coef,
            long_tailed=told.long_tailed,
            micro_batch=MICRO_BATCHES[0],
            tokens=told.tokens,
            steps=told.steps,
            threads=THREADS,
        )

    def best_micro_batch(self, side: str, told: Compared) -> int:
        """By the time that training takes, without generation."""
        if told.micro_batch:
            return told.micro_batch
        key = (side, told.size, told.dtype, told.long_tailed)
        if key not in self._best:
            short = replace(
                self.case(told), kl_coef=0.0, prompts=SEARCH_PROMPTS, steps=SEARCH_STEPS
            )
            seconds = dict.fromkeys(MICRO_BATCHES, math.inf)
            for _ in range(SEARCHES):
                for size in MICRO_BATCHES:
                    took = self.run(side, replace(short, micro_batch=size)).phases["train"]
                    seconds[size] = min(seconds[size], took)
                    if took > 1.5 * min(seconds.values()):
                        break  # larger ones only get slower from here
            fast = min(seconds.values()) * SLACK[side]
            self._best[key] = min(size for size, took in seconds.items() if took <= fast)
        return self._best[key]


def call(python: str, module: str, *arguments: str) -> str:
    """A module's standard output, run in a process of its own."""
    found = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = os.environ | {"OMP_NUM_THREADS": str(THREADS), "PYTHONPATH": found}
    done = subprocess.run(
        [python, "-m", module, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS_AT_MOST,
    )
    if done.returncode != 0:
        raise Failed(f"{module} ended with status {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def peer_python() -> Path | None:
    """The interpreter of TRL's environment, made when it is not there; None without packages."""
    home = ROOT / "build" / "peers" / "trl"
    marker, wanted = home / ".installed", "\n".join(PEER)
    if not marker.is_file() or marker.read_text() != wanted:
        commands = (
            [sys.executable, "-m", "venv", "--clear", str(home)],
            [str(home / "bin" / "pip"), "install", "--quiet", *PEER],
        )
        for command in commands:
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            if done.returncode != 0:
                print(done.stderr[-500:], file=sys.stderr)
                return None
        marker.write_text(wanted)
    return home / "bin" / "python"


def middle(found: Sequence[Measured]) -> Measured:
    """Medians over rounds."""

    def of(name: str) -> float:
        return statistics.median(getattr(one, name) for one in found)

    def each(name: str) -> dict[str, float]:
        keys = getattr(found[0], name)
        return {key: statistics.median(getattr(one, name)[key] for one in found) for key in keys}

    names = ("step_s", "cpu_s", "completions_per_s", "tokens_per_s", "peak_gib")
    return replace(
        found[0], **{name: of(name) for name in names}, phases=each("phases"), extra=each("extra")
    )


def steps(bench: Bench, told: Sequence[Compared], console: Console) -> dict[str, float]:
    """Time and memory of whole steps."""
    table = Table(
        *("case", "", "micro-batch", "s/step", "generate", "reference", "train", "CPU s"),
        *("completions/s", "ratio", "peak GiB", "ratio"),
        title=f"whole GRPO steps of {Case.prompts} prompts x {Case.group}, {THREADS} threads",
        title_justify="left",
    )
    figures: dict[str, float] = {}
    for one in told:
        case = bench.case(one)
        sizes = {side: bench.best_micro_batch(side, one) for side in bench.sides}
        runs: dict[str, list[Measured]] = {side: [] for side in bench.sides}
        for _ in range(one.rounds):
            for side in bench.sides:
                runs[side].append(bench.run(side, replace(case, micro_batch=sizes[side])))
        found = {side: middle(measured) for side, measured in runs.items()}
        label = one.name.replace(" ", "_")
        for side, measured in found.items():
            figures |= {
                f"{label}_{side.lower()}_completions_per_s": measured.completions_per_s,
                f"{label}_{side.lower()}_cpu_s": measured.cpu_s,
                f"{label}_{side.lower()}_peak_gib": measured.peak_gib,
            }
            ratios = ["", ""]
            if side == "ours" and "TRL" in found:
                peer = found["TRL"]
                speed = measured.completions_per_s / peer.completions_per_s
                memory = measured.peak_gib / peer.peak_gib
                figures |= {
                    f"{label}_speed_ratio": speed,
                    f"{label}_cpu_ratio": peer.cpu_s / measured.cpu_s,
                    f"{label}_memory_ratio": memory,
                }
                ratios = [f"{speed:.2f}", f"{memory:.2f}"]
            phases = [
                f"{measured.phases[name]:.2f}" if name in measured.phases else ""
                for name in ("generate", "reference", "train")
            ]
            service = measured.extra.get("service_gib")
            table.add_row(
                one.name if side == bench.sides[0] else "",
                side,
                str(sizes[side]),
                f"{measured.step_s:.2f}",
                *phases,
                f"{measured.cpu_s:.2f}",
                f"{measured.completions_per_s:.1f}",
                ratios[0],
                f"{measured.peak_gib:.2f}" + (f" (+{service:.2f})" if service else ""),
                ratios[1],
            )
    console.print(table)
    console.print(
        "ratios: ours to TRL; our reference's time is part of train; in brackets the memory of "
        "the service beside"
    )
    return figures


def update(bench: Bench, case: Case, console: Console) -> dict[str, float]:
    """How far one update of ours is from TRL's on TRL's own rollout."""
    difference, same = bench.update(case)
    console.print(
        f"one update on the same rollout: {100 * difference:.1f} % apart (norm of the difference "
        f"to norm of TRL's); {100 * same:.3f} % of the weights are within a tenth of the rate"
    )
    return {"update_difference": difference, "update_same_share": same}


def learning(bench: Bench, console: Console) -> dict[str, float]:
    """One update on the same rollout; then rewards after equal steps of the same size, rate and
    data, each side with rollouts of its own, over some seeds."""
    told = CASES[0]
    case = replace(
        bench.case(told),
        steps=LEARNING_STEPS,
        prompts=LEARNING_PROMPTS,
        lr=LEARNING_LR,
    )
    figures: dict[str, float] = {}
    if len(bench.sides) == len(SIDES):
        figures |= update(bench, case, console)
    curves: dict[str, list[list[float]]] = {side: [] for side in bench.sides}
    for seed in LEARNING_SEEDS:
        for side in bench.sides:
            size = bench.best_micro_batch(side, told)
            measured = bench.run(side, replace(case, seed=seed, micro_batch=size))
            curves[side].append(measured.rewards)
    shown = range(0, LEARNING_STEPS + 1, LEARNING_STEPS // 8)
    table = Table(
        "mean reward",
        *(f"step {max(1, step)}" for step in shown),
        f"last {LAST}",
        "all",
        title=f"{LEARNING_PROMPTS} prompts x {Case.group}, rate {LEARNING_LR:g}, "
        f"means of {len(LEARNING_SEEDS)} seeds",
        title_justify="left",
    )
    for side, runs in curves.items():
        curve = [statistics.fmean(values) for values in zip(*runs, strict=True)]
        last, whole = statistics.fmean(curve[-LAST:]), statistics.fmean(curve)
        figures |= {
            f"learning_{side.lower()}_last_reward": last,
            f"learning_{side.lower()}_mean_reward": whole,
        }
        points = (curve[max(1, step) - 1] for step in shown)
        table.add_row(side, *(f"{value:.3f}" for value in (*points, last, whole)))
    console.print(table)
    return figures


def main(console: Console, chosen: Sequence[str] = ()) -> dict[str, float]:
    peer = peer_python()
    if peer is None:
        console.print("TRL's packages are not at hand: ours alone")
    told = [one for one in CASES if not chosen or one.name in chosen]
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), peer)
        if told:
            figures |= steps(bench, told, console)
        if not chosen or LEARNING in chosen:
            figures |= learning(bench, console)
    return {name: round(value, 3) for name, value in figures.items()}


if __name__ == "__main__":
    known = [one.name for one in CASES] + [LEARNING]
    if unknown := [name for name in sys.argv[1:] if name not in known]:
        sys.exit(f"one of {', '.join(map(repr, known))}, got {', '.join(unknown)}")
    print(json.dumps(main(Console(width=140), sys.argv[1:])))
