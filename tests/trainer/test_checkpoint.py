"""Checkpoints: from any layout into any other, whole or not at all."""

from __future__ import annotations

import json
import multiprocessing as mp
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from tests.trainer.layouts import Case, Updates, state_of, step
from tests.trainer.multiprocess import Ranks
from tests.trainer.support import TINY, tiny_model
from trainer import checkpoint
from trainer.checkpoint import CheckpointError, Held
from trainer.model import Decoder, ModelConfig
from trainer.optimize import OptimizerSettings, TorchOptimizer
from trainer.parallel import SINGLE

# ---- between layouts ---------------------------------------------------------------------

PLAIN, TWO_BY_TWO = Case(), Case(tp=2)
ZERO_1, ZERO_2, ZERO_3 = (Case(zero=stage) for stage in (1, 2, 3))
ALL = Case(tp=2, zero=3, sequence_parallel=True)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model"), initializer_range=0.1)


@pytest.fixture(scope="module")
def ranks() -> Iterator[Callable[[int], Ranks]]:
    """So many processes, started when they are first asked for."""
    pytest.importorskip("deepspeed")
    made: dict[int, Ranks] = {}

    def get(count: int) -> Ranks:
        if count not in made:
            made[count] = Ranks(count)
        return made[count]

    yield get
    for one in made.values():
        one.close()


def held(run: Updates) -> Held:
    return Held(run.optimizer, run.reference, run.layout)


Next = tuple[dict[str, float], dict[str, torch.Tensor]]


def go_on(run: Updates, case: Case) -> Next:
    """The figures of the next update, and all tensors after it."""
    return step(run, case, 2, 1), state_of(run)


def saved(case: Case, model: Path, path: Path) -> Next:
    """Saves after three updates, and goes on."""
    run = Updates(case, model)
    step(run, case, 0, 1)
    step(run, case, 1, 2)
    checkpoint.save(path, 3, held(run), {"cursor": 7}, keep=2)
    return go_on(run, case)


def restored(case: Case, model: Path, path: Path) -> Next:
    """Restores, into a run that has other weights, and goes on."""
    run = Updates(case, model)
    step(run, case, 5, 2)
    state = checkpoint.restore(path / "step-00000003", held(run))
    assert (state["step"], state["cursor"], run.optimizer.updates) == (3, 7, 3)
    return go_on(run, case)


def everywhere(
    ranks: Callable[[int], Ranks], count: int, function: Callable[..., Next], *args: Any
) -> list[Next]:
    return [function(*args)] if count == 1 else ranks(count).run(function, *args, seconds=120)


def farthest(one: Next, other: Next) -> float:
    assert one[0].keys() == other[0].keys()
    assert one[1].keys() == other[1].keys()
    policy = [n for n in one[0] if n.startswith("policy/")]
    assert {"policy/loss", "policy/kl", "policy/grad_norm", "policy/lr"} <= set(policy)
    numbers = [abs(one[0][n] - other[0][n]) for n in policy]
    return max(*numbers, *(float((one[1][n] - other[1][n]).abs().max()) for n in one[1]))


CONVERSIONS = [
    # Odd pieces: three ranks divide no tensor.
    ((1, PLAIN), [(1, PLAIN), (2, ZERO_3), (4, TWO_BY_TWO), (3, ZERO_3)]),
    ((4, TWO_BY_TWO), [(4, TWO_BY_TWO), (1, PLAIN), (2, ZERO_1)]),
    ((2, ZERO_1), [(2, ZERO_1), (1, PLAIN), (4, ALL)]),
    ((2, ZERO_2), [(2, ZERO_2), (2, ZERO_3)]),
    ((2, ZERO_3), [(2, ZERO_3), (1, PLAIN), (2, ZERO_2)]),
    ((4, ALL), [(4, ALL), (1, PLAIN), (2, Case(zero=1, offload=True))]),
]


@pytest.mark.parametrize(
    ("first", "others"), CONVERSIONS, ids=[str(first[1]) for first, _ in CONVERSIONS]
)
def test_another_layout_goes_on_where_one_stopped(
    ranks: Callable[[int], Ranks], first: tuple[int, Case], others: list[tuple[int, Case]], model: Path, tmp_path: Path
) -> None:  # fmt: skip
    unbroken = everywhere(ranks, first[0], saved, first[1], model, tmp_path)
    for count, case in others:
        for n, found in enumerate(everywhere(ranks, count, restored, case, model, tmp_path)):
            if (count, case) == first:
                assert farthest(found, unbroken[n]) == 0.0, (count, str(case))
            else:
                assert farthest(found, unbroken[0]) < 1e-5, (count, str(case))


# ---- alone -------------------------------------------------------------------------------


def alone(**changes: Any) -> Held:
    config = ModelConfig.from_hf(TINY | {"vocab_size": 64} | changes)
    reference = Decoder(config, seed=2)
    return Held(
        TorchOptimizer(Decoder(config, seed=1), OptimizerSettings(lr=0.1)), reference, SINGLE
    )


def fill(what: Held, value: float) -> None:
    """All tensors the same number, so that a mix of two checkpoints shows."""
    with torch.no_grad():
        for _, _, tensor in checkpoint._tensors(what):
            tensor.fill_(value)
    what.optimizer.updates = int(value)


def test_what_is_kept(tmp_path: Path) -> None:
    what = alone()
    for number in (1, 2, 3, 10):
        checkpoint.save(tmp_path, number, what, {}, keep=2)
    assert checkpoint.steps(tmp_path) == [3, 10]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-00000003", "step-00000010"]
    assert checkpoint.steps(tmp_path / "nothing") == []
    fill(what, 5.0)
    checkpoint.save(tmp_path, 10, what, {}, keep=2)  # again, in the place of the first
    assert {float(w.max()) for _, w in checkpoint.weights(tmp_path / "step-00000010")} == {5.0}


def test_weights_are_whole_and_by_hugging_faces_names(tmp_path: Path) -> None:
    what = alone()
    checkpoint.save(tmp_path, 1, what, {}, keep=1)
    expected = dict(what.optimizer.weights())
    found = dict(checkpoint.weights(tmp_path / "step-00000001"))
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def cut(path: Path) -> None:
    file = path / "rank-00000.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])


def without(name: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        (path / name).unlink()

    return change


def rewritten(**state: Any) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        (path / "state.json").write_text(json.dumps(state))

    return change


def without_a_tensor(path: Path) -> None:
    file = path / "rank-00000.safetensors"
    with safe_open(file, "pt") as opened:
        metadata = opened.metadata()
    tensors = load_file(file)
    del tensors["exp_avg/model.norm.weight"]
    save_file(tensors, file, metadata=metadata)


def with_another_bit(path: Path) -> None:
    file = path / "rank-00000.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut, r"rank-00000\.safetensors: damaged, or not there: .*"),
        (without("rank-00000.safetensors"), r"rank-00000\.safetensors: damaged, or not there: .*"),
        (without("state.json"), r"step-00000001: not a checkpoint: .*No such file"),
        (lambda path: (path / "state.json").write_text("{"), r"step-00000001: not a checkpoint: "),
        (lambda path: (path / "state.json").write_text("3"), r"step-00000001: not a checkpoint: "),
        (
            rewritten(step=1),
            "step-00000001: not a checkpoint: state.json holds no updates",
        ),
        (rewritten(step=1, updates=1, tensors={}), "step-00000001: holds no master/model"),
        (
            with_another_bit,
            r"rank-00000\.safetensors: damaged, or not there: reference/.* checksum",
        ),
        (without_a_tensor, "damaged, or not there: .*exp_avg/model.norm.weight"),
        (shutil.rmtree, "step-00000001: not a checkpoint: "),
    ],
)
def test_what_is_damaged_or_foreign_is_refused(
    damage: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    checkpoint.save(tmp_path, 1, alone(), {}, keep=1)
    damage(tmp_path / "step-00000001")
    with pytest.raises(CheckpointError, match=said):
        checkpoint.restore(tmp_path / "step-00000001", alone())


def test_another_models_checkpoint_is_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, 1, alone(), {}, keep=1)
    wide = r"master/model.layers.0.mlp.gate_proj.weight is \[64, 32\], the model wants \[96, 32\]"
    with pytest.raises(CheckpointError, match=wide):
        checkpoint.restore(tmp_path / "step-00000001", alone(intermediate_size=96))
    deep = "holds no master/model.layers.2"
    with pytest.raises(CheckpointError, match=deep):
        checkpoint.restore(tmp_path / "step-00000001", alone(num_hidden_layers=3))


# ---- killed ------------------------------------------------------------------------------

KILLS, RANKS = 24, 2


def save_for_ever(told: Connection, rank: int, store: Path, directory: Path, first: int) -> None:
    """Each step's tensors are all that step's number; says which were saved."""
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", store=dist.FileStore(str(store), RANKS), rank=rank, world_size=RANKS
    )
    what, number = alone(), first
    while True:
        fill(what, float(number))
        checkpoint.save(directory, number, what, {}, keep=1)
        told.send(number)
        number += 1


def test_a_kill_at_any_moment_leaves_the_last_checkpoint_whole(tmp_path: Path) -> None:
    """Two processes save without end, and both are killed, most of the time while they do."""
    draws, context = random.Random(0), mp.get_context("fork")
    directory, what, latest, left = tmp_path / "checkpoints", alone(), 0, 0
    for number in range(KILLS):
        ours, theirs = context.Pipe()
        store = tmp_path / f"store-{number}"
        processes = [
            context.Process(target=save_for_ever, args=(theirs, rank, store, directory, latest + 1))
            for rank in range(RANKS)
        ]
        for process in processes:
            process.start()
        theirs.close()
        assert ours.poll(60)
        time.sleep(draws.uniform(0, 0.1))
        for process in draws.sample(processes, RANKS):
            process.kill()
        for process in processes:
            process.join()
        while ours.poll():
            try:
                latest = max(latest, ours.recv())
            except EOFError:
                break
        ours.close()
        found = checkpoint.steps(directory)
        assert found[-1] in (latest, latest + 1)
        for one in found:
            fill(what, 0.0)
            state = checkpoint.restore(directory / f"step-{one:08d}", what)
            assert state["step"] == what.optimizer.updates == one
            values = {float(x) for _, _, t in checkpoint._tensors(what) for x in (t.min(), t.max())}
            assert values == {float(one)}
        left += any(entry.name.startswith(".") for entry in directory.iterdir())
        latest = found[-1]
    assert left >= KILLS / 4  # so many times a save was broken off
    checkpoint.save(directory, latest + 1, what, {}, keep=1)
    assert os.listdir(directory) == [f"step-{latest + 1:08d}"]
