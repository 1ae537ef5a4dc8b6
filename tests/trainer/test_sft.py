"""Fine-tuning: the loss is transformers', runs repeat, resume, and come out alike on any layout."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.trainer.multiprocess import Ranks
from tests.trainer.support import character_tokenizer, metrics, tiny_model
from trainer import checkpoint
from trainer.chat import Encoder, Example
from trainer.config import SftConfig
from trainer.optimize import TrainingStopped
from trainer.rollout.embedded import EmbeddedEngine
from trainer.rollout.engine import Request, Sampling
from trainer.sft import Run, micro_batch, train
from trainer.tokens import Tokenizer, TokenizerError
from trainer.weights import load_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("sft") / "model")


def rows_at(path: Path, count: int = 12) -> Path:
    """Sums with answers, of different lengths."""
    rows = [{"prompt": f"{n} + {n * n} = ", "completion": str(n + n * n)} for n in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def recipe(directory: Path, model: Path, data: Path, /, **sections: dict[str, Any]) -> SftConfig:
    """A run of a few seconds; `sections` go on top."""
    values: dict[str, dict[str, Any]] = {
        "model": {"path": str(model), "dtype": "float32"},
        "data": {"path": str(data), "template": "none", "max_tokens": 64, "batch_size": 4},
        "optimizer": {"lr": 1e-3, "schedule": "cosine"},
        "budget": {"micro_batch_tokens": 64},
        "run": {"dir": str(directory), "threads": 1, "tensorboard": False, "checkpoint_every": 1},
    }
    for name, section in sections.items():
        values.setdefault(name, {}).update(section)
    return SftConfig.model_validate_json(json.dumps(values))


# ---- what counts in the loss ----------------------------------------------------


def example(ids: list[int], trained: list[int]) -> Example:
    return Example(torch.tensor(ids, dtype=torch.int32), torch.tensor(trained, dtype=torch.bool))


def test_a_trained_token_is_predicted_from_the_one_before_it():
    # Two examples at rows 0-4 and 5-7; 12 and 14 are said in two turns, 21 and 22 by a text whose
    # first token, 20, would be predicted from the other example: it is left out.
    micro = micro_batch(
        [example([10, 11, 12, 13, 14], [0, 0, 1, 0, 1]), example([20, 21, 22], [1, 1, 1])],
        torch.device("cpu"),
    )
    assert micro.ids.tolist() == [10, 11, 12, 13, 14, 20, 21, 22]
    assert micro.lengths == [5, 3]
    assert micro.targets.tolist() == [12, 14, 21, 22]
    assert micro.rows.tolist() == [1, 3, 5, 6]
    assert micro.sequence.tolist() == [0, 0, 1, 1]


def test_the_loss_is_that_of_transformers(model, tmp_path):
    from transformers import AutoModelForCausalLM

    data = rows_at(tmp_path / "rows.jsonl", 4)
    train(recipe(tmp_path / "run", model, data, run={"steps": 1}))
    theirs = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    encode, total, count = Encoder(Tokenizer(model), "none"), torch.zeros(()), 0
    for line in data.read_text().splitlines():
        row = encode(json.loads(line))
        ids = row.ids.long()[None]
        labels = ids.masked_fill(~row.trained, -100)
        trained = int(row.trained[1:].sum())
        total = total + theirs(ids, labels=labels).loss * trained  # a mean over each row
        count += trained
    (total / count).backward()
    norm = math.sqrt(sum(float(p.grad.square().sum()) for p in theirs.parameters()))
    (found,) = metrics(tmp_path / "run")
    assert found["train/loss"] == pytest.approx(total.item() / count, abs=1e-5)
    assert found["policy/grad_norm"] == pytest.approx(norm, rel=1e-4)


def test_micro_batches_change_nothing(model, tmp_path):
    data = rows_at(tmp_path / "rows.jsonl")
    for name, tokens in (("whole", 4096), ("single", 64)):
        train(
            recipe(
                tmp_path / name, model, data,
                data={"batch_size": 12, "epochs": 3}, budget={"micro_batch_tokens": tokens},
            )
        )  # fmt: skip
    assert_alike(metrics(tmp_path / "whole"), metrics(tmp_path / "single"))


def assert_alike(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    assert len(one) == len(other) > 0
    for a, b in zip(one, other, strict=True):
        assert a == pytest.approx(b, rel=2e-5, abs=1e-6)


# ---- learning -------------------------------------------------------------------


def test_it_learns_what_it_is_shown(model, tmp_path):
    data = rows_at(tmp_path / "rows.jsonl", 8)
    train(
        recipe(
            tmp_path / "run", model, data,
            data={"batch_size": 8, "epochs": 60}, budget={"micro_batch_tokens": 4096},
            optimizer={"lr": 1e-2}, run={"checkpoint_every": 1000},
        )
    )  # fmt: skip
    found = metrics(tmp_path / "run")
    assert found[0]["train/loss"] > 2
    assert found[-1]["train/loss"] < 0.05
    assert checkpoint.steps(tmp_path / "run" / "checkpoints") == [60], "the last is always kept"
    # Asked with the prompt alone it gives the answer and stops.
    decoder = load_model(model, dtype=torch.float32)
    saved = dict(checkpoint.weights(tmp_path / "run" / "checkpoints" / "step-00000060"))
    for name, parameter in decoder.named_parameters():
        parameter.data.copy_(saved[name])
    tokenizer = Tokenizer(model)
    requests = [Request(tokenizer.encode(f"{n} + {n * n} = "), n) for n in range(8)]
    engine = EmbeddedEngine(decoder, rows=8, shared=True)
    sampling = Sampling(8, temperature=0.0, stop_token_ids=tokenizer.stop_token_ids)
    said = {n: tokenizer.decode(c.ids) for n, c in engine.generate(requests, sampling)}
    assert said == {n: str(n + n * n) for n in range(8)}


def test_the_learning_rate_ends_at_a_tenth(model, tmp_path):
    data = rows_at(tmp_path / "rows.jsonl", 4)
    train(
        recipe(
            tmp_path / "run", model, data,
            data={"batch_size": 4, "epochs": 11}, optimizer={"lr": 1e-3, "warmup_steps": 2},
        )
    )  # fmt: skip
    rates = [line["policy/lr"] for line in metrics(tmp_path / "run")]
    # Warm-up over two updates, then nine of a cosine from 1e-3 to 1e-4: its middle is their mean.
    assert rates[:3] == pytest.approx([5e-4, 1e-3, 1e-3])
    assert rates[6] == pytest.approx(5.5e-4)
    assert rates[-1] == pytest.approx(1e-4)
    assert rates[4] == pytest.approx(1e-4 + 9e-4 * (1 + math.cos(math.pi / 4)) / 2)


# ---- which rows, and when -------------------------------------------------------


def run_of(recipe: SftConfig) -> Run:
    with Run(recipe) as run:
        return run


def drawn(run: Run, step: int) -> list[int]:
    """Where the rows of an update stand in the file."""
    order = {id(example): place for place, example in enumerate(run.examples)}
    return [order[id(example)] for example in run.rows(step)]


def test_an_epoch_has_every_row_once_and_each_another_order(model, tmp_path):
    data = rows_at(tmp_path / "rows.jsonl", 10)
    run = run_of(recipe(tmp_path / "run", model, data, data={"batch_size": 4, "epochs": 2}))
    assert run.steps == 5
    rows = [row for step in range(5) for row in drawn(run, step)]
    assert sorted(rows[:10]) == sorted(rows[10:]) == list(range(10))
    assert rows[:10] != rows[10:] != list(range(10))
    again = run_of(recipe(tmp_path / "b", model, data, run={"seed": 1}, data={"batch_size": 4}))
    assert drawn(again, 0) != drawn(run, 0)


def test_the_last_update_takes_what_is_left(model, tmp_path):
    data = rows_at(tmp_path / "rows.jsonl", 10)
    sections = {"data": {"batch_size": 4, "epochs": 1, "shuffle": False}}
    run = run_of(recipe(tmp_path / "run", model, data, **sections))
    assert [drawn(run, step) for step in range(run.steps)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    run = run_of(recipe(tmp_path / "b", model, data, **sections, run={"steps": 4}))
    assert drawn(run, 2) == [8, 9, 0, 1], "with `run.steps` given, epochs follow one another"
    assert run.steps == 4


def test_the_last_micro_batch_says_so(model, tmp_path):
    data = rows_at(tmp_path / "rows.jsonl", 12)
    run = run_of(recipe(tmp_path / "run", model, data))
    parts = list(run.micro_batches(run.examples))
    found = [id(example) for chosen, counts, _ in parts for example in chosen if counts]
    assert sorted(found) == sorted(map(id, run.examples))
    assert len(parts) > 2
    assert [last for _, _, last in parts] == [False] * (len(parts) - 1) + [True]


# ---- repeating and going on -----------------------------------------------------


def weights_of(directory: Path, step: int) -> dict[str, torch.Tensor]:
    return dict(checkpoint.weights(directory / "checkpoints" / f"step-{step:08d}"))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_same_run_twice_gives_the_same_bits(model, tmp_path, dtype):
    data = rows_at(tmp_path / "rows.jsonl")
    for name in ("one", "two"):
        train(recipe(tmp_path / name, model, data, model={"dtype": dtype}))
    assert metrics(tmp_path / "one") == metrics(tmp_path / "two")
    one, two = (weights_of(tmp_path / name, 6) for name in ("one", "two"))
    assert all(torch.equal(one[name], two[name]) for name in one)


RUN = """
import sys
from pathlib import Path
from tests.trainer.test_sft import recipe
from trainer.sft import train
train(recipe(*map(Path, sys.argv[1:]), data={"epochs": 10}))
"""


def test_a_killed_run_goes_on_to_the_same_curve(model, tmp_path):
    data, whole, broken = rows_at(tmp_path / "rows.jsonl"), tmp_path / "whole", tmp_path / "broken"
    train(recipe(whole, model, data, data={"epochs": 10}))
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(broken), str(model), str(data)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        cwd=Path(__file__).parents[2],
    )
    end = time.monotonic() + 60
    while len(checkpoint.steps(broken / "checkpoints")) < 2 and time.monotonic() < end:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it was to be killed on its way"
    at = checkpoint.steps(broken / "checkpoints")[-1]
    assert 0 < at < 30
    train(recipe(broken, model, data, data={"epochs": 10}))
    assert metrics(broken) == metrics(whole)
    one, two = weights_of(whole, 30), weights_of(broken, 30)
    assert all(torch.equal(one[name], two[name]) for name in one)


# ---- layouts --------------------------------------------------------------------


def train_on_rank(directory: Path, model: Path, data: Path, sections: dict[str, Any]) -> None:
    import torch.distributed as dist

    os.environ["RANK"] = str(dist.get_rank())
    train(recipe(directory, model, data, **sections))


def test_two_ranks_come_to_what_one_does(model, tmp_path):
    data = rows_at(tmp_path / "rows.jsonl", 13)
    # 13 rows in batches of 4: the last of an epoch's has one row, and two ranks share it.
    sections = {"data": {"batch_size": 4, "epochs": 1}}
    train(recipe(tmp_path / "one", model, data, **sections))
    with Ranks(2) as ranks:
        for name, parallel in (
            ("dp", {}),
            ("tp", {"tp": 2}),
            ("sp", {"tp": 2, "sequence_parallel": True}),
            *((f"zero{stage}", {"zero": stage}) for stage in (1, 3) if find_spec("deepspeed")),
        ):
            layout = {**sections, "parallel": parallel}
            ranks.run(train_on_rank, tmp_path / name, model, data, layout)
            assert_alike(metrics(tmp_path / "one"), metrics(tmp_path / name))
    alone, spread = weights_of(tmp_path / "one", 4), weights_of(tmp_path / "dp", 4)
    assert all(torch.allclose(alone[n], spread[n], rtol=1e-4, atol=1e-5) for n in alone)


# ---- what is wrong --------------------------------------------------------------


def test_weights_that_are_no_numbers_stop_it_with_the_batch_kept(model, tmp_path):
    broken = tmp_path / "model"
    broken.mkdir()
    for file in model.iterdir():
        if file.suffix == ".json":
            (broken / file.name).write_bytes(file.read_bytes())
    tensors = load_file(model / "model.safetensors")
    tensors["model.norm.weight"][0] = math.nan
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    run = tmp_path / "run"
    with pytest.raises(
        TrainingStopped, match=r"step 0: the loss is nan; the batch is in .*bad-batch"
    ):
        train(recipe(run, broken, rows_at(tmp_path / "rows.jsonl")))
    kept = load_file(run / "bad-batch-step-0-rank-0.safetensors")
    assert kept["ids"].numel() == kept["lengths"].sum()
    assert checkpoint.steps(run / "checkpoints") == []


def test_a_tokenizer_too_large_for_the_model_is_refused(tmp_path):
    small = tiny_model(tmp_path / "model", vocab_size=50)
    character_tokenizer(small)
    with pytest.raises(TokenizerError, match="the model's vocabulary 50"):
        train(recipe(tmp_path / "run", small, rows_at(tmp_path / "rows.jsonl")))
