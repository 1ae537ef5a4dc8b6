"""Layouts of ranks against one process, and tensor parallelism of ours beside DeepSpeed's AutoTP.

    make bench PARTS=layouts

First the losses, gradients and weights of the loop's own updates in every layout that the tests
hold to 1e-5, as the largest difference from one process. Then steps of next-token training of a
random Qwen2 of a million parameters on two ranks, a thread each: by this trainer's decoder and by
AutoTP around the model of `transformers`, both with DeepSpeed's ZeRO 1 around them.
"""

from __future__ import annotations

import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from tests.bench.training_case import GIB, VOCABULARY, write_model
from tests.trainer.layouts import ALONE, Case, differences, trained
from tests.trainer.multiprocess import Ranks
from tests.trainer.support import tiny_model

LAYOUTS = (
    (1, Case(budget=ALONE), "no packing"),
    (2, Case(tp=2), "TP 2"),
    (2, Case(tp=2, sequence_parallel=True), "TP 2, sequence parallel"),
    (2, Case(), "DP 2"),
    (2, Case(zero=1), "DP 2, ZeRO 1"),
    (2, Case(zero=2), "DP 2, ZeRO 2"),
    (2, Case(zero=3), "DP 2, ZeRO 3"),
    (2, Case(zero=2, offload=True), "DP 2, ZeRO 2, offload"),
    (4, Case(tp=2), "TP 2 x DP 2"),
    (4, Case(tp=2, zero=1, sequence_parallel=True), "TP 2 x DP 2, ZeRO 1, sequence parallel"),
    (4, Case(tp=2, zero=3), "TP 2 x DP 2, ZeRO 3"),
)
KINDS = ("policy/loss", "policy/grad_norm", "gradient", "weights")

ROWS, LENGTH, STEPS, ROUNDS = 32, 128, 6, 3
"""Of a step of the comparison; steps in a round, the first of which is not counted."""


def main(console: Console) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        return _layouts(folder, console) | _tensor_parallel(folder, console)


def _layouts(folder: Path, console: Console) -> dict[str, float]:
    model = tiny_model(folder / "tiny", initializer_range=0.1)
    alone, figures = trained(Case(), model), dict[str, float]()
    table = Table("layout", *KINDS, title="largest difference from one process", expand=False)
    for ranks, case, name in LAYOUTS:
        with Ranks(ranks) as group:
            seen = group.run(trained, case, model, seconds=300)
        found = [differences(one, alone) for one in seen]
        worst = {kind: max(one[kind] for one in found) for kind in KINDS}
        figures[f"difference {name}"] = max(worst.values())
        table.add_row(name, *(f"{worst[kind]:.1e}" for kind in KINDS))
    console.print(table)
    return figures


def _tensor_parallel(folder: Path, console: Console) -> dict[str, float]:
    model = folder / "1m"
    write_model(model, 128, 4)
    sides: dict[str, Callable[[Path], dict[str, float]]] = {"AutoTP": autotp, "ours": ours}
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, side in sides.items():
            with Ranks(2) as group:
                rounds[name].append(group.run(side, model, seconds=300)[0])
    table = Table("TP 2, ZeRO 1", "ms/step", "peak GiB", "first loss", "gradient's norm")
    figures = {}
    for name, told in rounds.items():
        middle = {key: statistics.median(one[key] for one in told) for key in told[0]}
        figures |= {f"{name.lower()}_{key}": value for key, value in middle.items()}
        table.add_row(
            name,
            f"{1000 * middle['s_per_step']:.0f}",
            f"{middle['peak_gib']:.2f}",
            f"{middle['loss']:.6f}",
            f"{middle['norm']:.6f}",
        )
    console.print(table)
    return figures


def _tokens() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(2, VOCABULARY, (ROWS, LENGTH), generator=generator)


def _measured(step: Callable[[], tuple[float, float]]) -> dict[str, float]:
    """`step` gives its loss and the norm of its gradient."""
    seconds, told = [], []
    for _ in range(STEPS):
        began = time.perf_counter()
        told.append(step())
        seconds.append(time.perf_counter() - began)
    return {
        "s_per_step": statistics.median(seconds[1:]),
        "loss": told[0][0],
        "norm": told[0][1],
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB,
    }


def ours(model: Path) -> dict[str, float]:
    """On one rank of two."""
    from trainer.batch import Policy, Sample, micro_batch
    from trainer.config import Parallel
    from trainer.optimize import OptimizerSettings, make_optimizer
    from trainer.parallel import make_layout
    from trainer.weights import load_model

    layout = make_layout(2)
    decoder = load_model(model, dtype=torch.float32, layout=layout)
    policy = Policy(decoder, 1.0)
    settings = OptimizerSettings(lr=1e-4)
    parallel = Parallel(tp=2, zero=1)
    optimizer = make_optimizer(policy, decoder, settings, layout, parallel)
    rows = [tuple(row) for row in _tokens().tolist()]
    samples = [Sample(row[:1], row[1:], (0.0,) * (LENGTH - 1), 0.0) for row in rows]

    def step() -> tuple[float, float]:
        loss = -policy(micro_batch(samples, torch.device("cpu"))).logprobs.mean()
        optimizer.backward(loss, last=True)
        return float(loss.detach()), optimizer.step().grad_norm

    return _measured(step)


def autotp(model: Path) -> dict[str, float]:
    """On one rank of two."""
    from transformers import AutoModelForCausalLM

    from trainer.zero import deepspeed  # set up to compile nothing

    os.environ.setdefault("LOCAL_RANK", "0")
    vars(deepspeed.ops).setdefault("__compatible_ops__", {})
    whole: Any = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    engine, *_ = deepspeed.initialize(
        model=whole,
        optimizer=torch.optim.AdamW(whole.parameters(), lr=1e-4, betas=(0.9, 0.95), fused=True),
        config={
            "train_micro_batch_size_per_gpu": ROWS,
            "gradient_accumulation_steps": 1,
            "gradient_clipping": 1.0,
            "tensor_parallel": {"autotp_size": 2},
            "zero_optimization": {"stage": 1},
            "zero_allow_untested_optimizer": True,
            "zero_force_ds_cpu_optimizer": False,
        },
        dist_init_required=False,
    )
    ids = _tokens()

    def step() -> tuple[float, float]:
        loss = engine(input_ids=ids, labels=ids).loss
        engine.backward(loss)
        engine.step()
        return float(loss.detach()), float(engine.get_global_grad_norm())

    return _measured(step)
