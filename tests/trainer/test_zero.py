"""What ZeRO spreads, what stops it, and how it starts; that it computes the same: test_layouts."""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.trainer.layouts import Case, Updates, state_of, step
from tests.trainer.multiprocess import Ranks
from tests.trainer.support import digits, metrics, recipe, tiny_model
from trainer.batch import Sample, micro_batch
from trainer.grpo import train
from trainer.optimize import NotFinite
from verifier.embedded import EmbeddedServer

pytest.importorskip("deepspeed")

ROOT = Path(__file__).parents[2]
SAMPLE = Sample((1, 2), (3, 4, 5), (-1.0, -1.0, -1.0), 1.0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model"), initializer_range=0.1)


@pytest.fixture(scope="module")
def two() -> Iterator[Ranks]:
    with Ranks(2) as ranks:
        yield ranks


def broken_on_one_rank(zero: int, what: str, model: Path) -> tuple[bool, bool, float]:
    run = Updates(case := Case(zero=zero), model)
    step(run, case, 0, 1)
    before, updates = state_of(run), run.optimizer.updates
    loss = run.policy(micro_batch([SAMPLE], run.device)).logprobs.sum()
    if run.layout.dp_rank == 1:
        # A loss that is infinite with a finite gradient, or the other way round.
        loss = loss + (math.inf if what == "loss" else (loss - loss.detach()).abs().sqrt())
    try:
        run.optimizer.backward(loss, last=True)
        run.optimizer.step()
    except NotFinite:
        raised = True
    else:
        raised = False
    after = state_of(run)
    same = all(torch.equal(before[name], after[name]) for name in before)
    # And it can be gone on from there: nothing is left of the bad gradient.
    found = step(run, case, 1, 1)["policy/grad_norm"]
    return raised, same and updates == run.optimizer.updates - 1, found


@pytest.mark.parametrize("zero", [0, 1, 2, 3])
@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_what_is_not_finite_on_one_rank_stops_all_and_changes_nothing(
    two: Ranks, zero: int, what: str, model: Path
) -> None:
    run = Updates(Case(), model)
    step(run, Case(), 0, 1)
    expected = step(run, Case(), 1, 1)["policy/grad_norm"]
    for found in two.run(broken_on_one_rank, zero, what, model):
        assert found == (True, True, pytest.approx(expected, abs=1e-5))


def one_large_and_many_small(zero: int, model: Path) -> dict[str, torch.Tensor]:
    """The same gradient, in bf16, 256 times and seven times once: 263 has more bits than bf16."""
    run = Updates(Case(zero=zero, dtype="bfloat16"), model)
    shares = [256.0, *[1.0] * 7]
    mine = shares[run.layout.dp_rank :: run.layout.dp]
    for n, share in enumerate(mine):
        loss = run.policy(micro_batch([SAMPLE], run.device)).logprobs.sum() * share
        run.optimizer.backward(loss, last=n == len(mine) - 1)
    run.optimizer.step()
    return {name: t for name, t in state_of(run).items() if name.startswith("exp_avg/")}


@pytest.mark.parametrize("zero", [1, 2, 3])
def test_micro_batches_and_ranks_add_up_in_fp32(two: Ranks, zero: int, model: Path) -> None:
    alone = one_large_and_many_small(0, model)
    for found in two.run(one_large_and_many_small, zero, model):
        for name, moment in alone.items():
            torch.testing.assert_close(found[name], moment, rtol=1e-5, atol=0)


def held(zero: int, model: Path) -> tuple[int, int, int]:
    """Elements that this rank has: of weights, masters, all."""
    run = Updates(case := Case(zero=zero), model)
    everything = sum(p.numel() for p in run.reference.parameters())  # type: ignore[union-attr]
    step(run, case, 0, 1)
    weights = sum(p.numel() for p in run.policy.parameters())
    masters = sum(master.numel() for master in run.optimizer._masters())  # type: ignore[attr-defined]
    return weights, masters, everything


@pytest.mark.parametrize("zero", [1, 2, 3])
def test_what_is_spread(two: Ranks, zero: int, model: Path) -> None:
    for weights, masters, everything in two.run(held, zero, model):
        assert masters == pytest.approx(everything / 2, rel=0.01)
        if zero < 3:
            assert weights == everything
        else:
            assert 0 < weights < 0.05 * everything  # what is too small to be spread


ALONE_SCRIPT = """
import sys
from pathlib import Path
from tests.trainer.layouts import Case, trained
for zero in (0, 1, 2, 3):
    seen = trained(Case(zero=zero), Path(sys.argv[1]))
    print(zero, *(m["policy/grad_norm"] for m in seen.metrics))
"""


def test_one_process_needs_no_launcher_and_nothing_is_compiled(model: Path, tmp_path: Path) -> None:
    """DeepSpeed would wait for ever for this lock, that a killed compiler left."""
    extensions = tmp_path / "extensions"
    (extensions / "deepspeed_shm_comm").mkdir(parents=True)
    (extensions / "deepspeed_shm_comm" / "lock").touch()
    clean = {k: v for k, v in os.environ.items() if k not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    ran = subprocess.run(
        [sys.executable, "-c", ALONE_SCRIPT, str(model)],
        env=clean | {"OMP_NUM_THREADS": "1", "TORCH_EXTENSIONS_DIR": str(extensions)},
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert [p.name for p in extensions.rglob("*")] == ["deepspeed_shm_comm", "lock"]
    plain, *others = [[float(x) for x in line.split()[1:]] for line in ran.stdout.splitlines()]
    assert len(others) == 3
    for norms in others:
        assert norms == pytest.approx(plain, abs=1e-5)
    assert "WARNING" not in ran.stdout + ran.stderr


RUN = """
import json, sys
from pathlib import Path
from tests.trainer.support import recipe
from trainer.grpo import train
directory, model, data, sections = sys.argv[1:]
train(recipe(Path(directory), Path(model), Path(data), **json.loads(sections)))
"""


with socket.create_server(("127.0.0.1", 0)) as free:
    PORT = str(free.getsockname()[1])
LAUNCHERS = {
    "torchrun": ["torch.distributed.run", "--nproc-per-node", "2", "--standalone"],
    "deepspeed": ["deepspeed.launcher.runner", "--num_gpus", "2", "--master_port", PORT, "--no_local_rank"],
}  # fmt: skip


def test_a_whole_run_under_both_launchers(tmp_path: Path) -> None:
    """Two steps under one launcher, two more under the other with another stage, from what was
    saved: the curve that one process has."""
    data, path = digits(tmp_path / "digits.jsonl"), tiny_model(tmp_path / "model")
    script = tmp_path / "run.py"
    script.write_text(RUN)
    sections: dict[str, dict[str, object]] = {"algorithm": {"preset": "grpo"}}
    with EmbeddedServer("--log-level", "warning") as server:
        sections["reward"] = {"address": server.address}
        train(recipe(tmp_path / "one", path, data, **sections))
        for launcher, zero, steps in (("torchrun", 2, 2), ("deepspeed", 3, 4)):
            sections["parallel"] = {"zero": zero}
            sections["run"] = {"steps": steps}
            arguments = [script, tmp_path / "two", path, data, json.dumps(sections)]
            ran = subprocess.run(
                [sys.executable, "-m", *LAUNCHERS[launcher], *map(str, arguments)],
                env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
                cwd=ROOT, capture_output=True, text=True, timeout=240,
            )  # fmt: skip
            assert ran.returncode == 0, ran.stderr[-4000:]
    one, two = metrics(tmp_path / "one"), metrics(tmp_path / "two")
    assert [line["step"] for line in two] == list(range(4))
    assert one[3]["policy/kl"] > 1e-3
    for ours, alone in zip(two, one, strict=True):
        for name in alone:
            if name.startswith(("policy/", "reward/", "length/")):
                assert ours[name] == pytest.approx(alone[name], abs=1e-4, rel=1e-4), name
