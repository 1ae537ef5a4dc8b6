"""Training a reward model: its scores are transformers', runs repeat, resume, and come out alike on
any layout, and what is exported is what the verifier serves."""

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
from typer.testing import CliRunner

from tests.trainer.multiprocess import Ranks
from tests.trainer.support import TINY, metrics
from tests.trainer.test_chat import CHATML, tokenizer_at
from tests.trainer.test_sft import assert_alike, weights_of
from trainer import checkpoint
from trainer.cli import app
from trainer.config import RewardModelConfig
from trainer.memory import preflight
from trainer.model import Decoder, ModelConfig
from trainer.optimize import TrainingStopped
from trainer.preference_data import Conversations, Rated, batch
from trainer.reward_model import train
from trainer.scorer import RewardModel, Scorer, load_scorer
from trainer.tokens import Tokenizer
from trainer.weights import save_model
from verifier.client import Item, Verdict, VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.judge.reward_model import LocalModel
from verifier.v1.verifier_pb2 import JudgeTask

# Without anything after a turn's last token, which here is the padding too, as in some of Llama's.
ENDED = "{% for m in messages %}{{ m.role }}: {{ m.content }}<|im_end|>{% endfor %}"
SMALL = {"run": {"checkpoint_every": 1000}, "data": {"batch_size": 8}}


def model_at(directory: Path, template: str = CHATML, **changes: Any) -> Path:
    """A language model with random weights, a tokenizer of characters, a chat template."""
    tokenizer = tokenizer_at(directory, template, [1, 2])
    sizes = {"vocab_size": tokenizer.size, "eos_token_id": 1}
    config = ModelConfig.from_hf(TINY | sizes | {"initializer_range": 0.1} | changes)
    save_model(Decoder(config, seed=0), directory)
    return directory


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_at(tmp_path_factory.mktemp("rated") / "model")


def pairs_at(path: Path, count: int = 12, first: int = 0) -> Path:
    """Answers in digits are better than those in words."""
    words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    rows = []
    for n in range(first, first + count):
        asked = [{"role": "user", "content": f"{n} + {n * n}?"}]
        text = " ".join(words[int(digit)] for digit in str(n + n * n))
        rows.append({"messages": asked, "chosen": str(n + n * n), "rejected": text})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def points_at(path: Path, pairs: Path) -> Path:
    """The same as single responses."""
    rows = []
    for line in pairs.read_text().splitlines():
        row = json.loads(line)
        for key, label in (("chosen", 1), ("rejected", 0)):
            rows.append({"messages": row["messages"], "response": row[key], "label": label})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def recipe(
    directory: Path, model: Path, data: Path, /, **sections: dict[str, Any]
) -> RewardModelConfig:
    """A run of a few seconds; `sections` go on top."""
    values: dict[str, dict[str, Any]] = {
        "model": {"path": str(model), "dtype": "float32"},
        "data": {"path": str(data), "max_tokens": 128, "batch_size": 4},
        "optimizer": {"lr": 1e-3},
        "budget": {"micro_batch_tokens": 256},
        "run": {"dir": str(directory), "threads": 1, "tensorboard": False, "checkpoint_every": 1},
    }
    for name, section in sections.items():
        values.setdefault(name, {}).update(section)
    return RewardModelConfig.model_validate_json(json.dumps(values))


def rated(model: Path, data: Path, kind: Any = "pairwise") -> list[Rated]:
    read = Conversations(Tokenizer(model), kind)
    return [read(json.loads(line)) for line in data.read_text().splitlines()]


def ours(scorer: Scorer, rows: list[Rated]) -> torch.Tensor:
    with torch.no_grad():
        return RewardModel(scorer)(batch(rows, torch.device("cpu")))


# ---- scores and gradients -------------------------------------------------------

SHAPES: list[dict[str, Any]] = [
    {},
    {"tie_word_embeddings": False},
    {"model_type": "llama", "tie_word_embeddings": False},
    {"model_type": "qwen3", "head_dim": 16},
]


@pytest.mark.parametrize("changes", SHAPES, ids=["qwen2", "untied", "llama", "qwen3"])
@pytest.mark.parametrize("pad", [None, 2, 1], ids=["no pad", "pad", "pad ends a turn"])
def test_what_is_exported_scores_as_trained(tmp_path, changes, pad):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    source = model_at(tmp_path / "model", ENDED, pad_token_id=pad, **changes)
    data = pairs_at(tmp_path / "pairs.jsonl", 4)
    train(recipe(tmp_path / "run", source, data))
    asked = ["export", str(tmp_path / "run"), str(tmp_path / "out"), "--dtype", "float32"]
    assert CliRunner().invoke(app, asked).exit_code == 0

    theirs, told = AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "out", output_loading_info=True
    )
    assert not any(told.values()), told
    kind = {"llama": "Llama", "qwen3": "Qwen3"}.get(changes.get("model_type", ""), "Qwen2")
    assert type(theirs).__name__ == f"{kind}ForSequenceClassification"
    assert theirs.config.num_labels == 1
    rows = rated(source, data)
    scorer = load_scorer(tmp_path / "out", seed=7, dtype=torch.float32)
    found = ours(scorer, rows).tolist()
    ids = [text.long()[None] for row in rows for text in row.conversations]
    with torch.no_grad():
        each = [theirs(one).logits.item() for one in ids]
    assert found == pytest.approx(each, abs=1e-5)
    assert max(found) - min(found) > 1e-2, "scores that are all the same would prove nothing"
    # And as the trained masters have it.
    masters = weights_of(tmp_path / "run", 1)
    assert all(torch.equal(masters[name], p) for name, p in scorer.named_parameters())
    chat = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert chat.chat_template == ENDED


def test_padded_batches_of_transformers_score_alike(tmp_path):
    from transformers import AutoModelForSequenceClassification

    config = ModelConfig.from_hf(TINY | {"vocab_size": 102, "eos_token_id": 1, "pad_token_id": 0})
    save_model(Scorer(config, seed=0), tmp_path / "model")
    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model")
    texts = [torch.arange(5, 5 + n).int() for n in (3, 9, 6)]
    padded = torch.nn.utils.rnn.pad_sequence([t.long() for t in texts], batch_first=True)
    with torch.no_grad():
        told = theirs(padded, attention_mask=(padded != 0).long()).logits[:, 0]
    found = ours(load_scorer(tmp_path / "model", seed=0, dtype=torch.float32),
                 [Rated((text,)) for text in texts])  # fmt: skip
    assert found.tolist() == pytest.approx(told.tolist(), abs=1e-5)


@pytest.mark.parametrize("kind", ["pairwise", "pointwise"])
def test_loss_and_gradient_are_those_of_transformers(model, tmp_path, kind):
    from transformers import AutoModelForSequenceClassification

    data = pairs_at(tmp_path / "pairs.jsonl", 4)
    if kind == "pointwise":
        data = points_at(tmp_path / "points.jsonl", data)
    sections = {"data": {"kind": kind, "batch_size": 16}, "run": {"seed": 3}}
    train(recipe(tmp_path / "run", model, data, **sections))
    save_model(load_scorer(model, seed=3, dtype=torch.float32), tmp_path / "start")
    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path / "start")
    losses = []
    for row in rated(model, data, kind):
        scores = [theirs(text.long()[None]).logits[0, 0] for text in row.conversations]
        margin = scores[0] - scores[1] if len(scores) == 2 else scores[0] * (2 * row.label - 1)
        losses.append(-torch.nn.functional.logsigmoid(margin))
    loss = torch.stack(losses).mean()
    loss.backward()
    norm = math.sqrt(sum(float(p.grad.square().sum()) for p in theirs.parameters()))
    (found,) = metrics(tmp_path / "run")
    assert found["train/loss"] == pytest.approx(loss.item(), abs=1e-5)
    assert found["policy/grad_norm"] == pytest.approx(norm, rel=1e-4)


def test_micro_batches_change_nothing(model, tmp_path):
    data = pairs_at(tmp_path / "pairs.jsonl")
    for name, tokens in (("whole", 4096), ("single", 256)):
        sections = {
            "data": {"batch_size": 12, "epochs": 3},
            "budget": {"micro_batch_tokens": tokens},
        }
        train(recipe(tmp_path / name, model, data, **sections))
    assert_alike(metrics(tmp_path / "whole"), metrics(tmp_path / "single"))


def test_a_head_begins_at_scores_of_about_1(tmp_path):
    config = ModelConfig.from_hf(TINY | {"vocab_size": 102, "hidden_size": 256})
    scorer = Scorer(config, seed=0)
    scores = scorer.score(torch.randn(2000, 256, generator=torch.Generator().manual_seed(0)))
    assert 0.8 < float(scores.detach().std()) < 1.2
    other = Scorer(config, seed=1)
    assert not torch.equal(scorer.score.weight, other.score.weight)


# ---- learning -------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["pairwise", "pointwise"])
async def test_it_learns_what_it_is_shown_and_the_verifier_serves_it(model, tmp_path, kind):
    data, held = pairs_at(tmp_path / "pairs.jsonl", 24), pairs_at(tmp_path / "held.jsonl", 12, 24)
    if kind == "pointwise":
        data = points_at(tmp_path / "points.jsonl", data)
        held = points_at(tmp_path / "held-points.jsonl", held)
    sections = {
        "data": {"kind": kind, "batch_size": 8, "epochs": 12},
        "budget": {"micro_batch_tokens": 4096},
        "optimizer": {"lr": 3e-3}, "run": {"checkpoint_every": 1000},
        "eval": {"path": str(held), "every": 10},
    }  # fmt: skip
    train(recipe(tmp_path / "run", model, data, **sections))
    found = metrics(tmp_path / "run")
    assert found[-1]["step"] == len(found) - 1, "the last line is of the evaluation at the end"
    assert [line["step"] for line in found if "eval/accuracy" in line][:2] == [0, 10]
    assert found[-2]["train/loss"] < found[0]["train/loss"] / 4
    assert found[-1]["eval/accuracy"] > 0.9
    assert found[-1]["eval/margin"] > 1.0
    asked = ["export", str(tmp_path / "run"), str(tmp_path / "out"), "--dtype", "float32"]
    assert CliRunner().invoke(app, asked).exit_code == 0
    served = LocalModel(str(tmp_path / "out"))
    better, worse = await served.score("50 + 2?", "52"), await served.score("50 + 2?", "five two")
    assert better > worse + 1


def test_a_server_rates_with_two_of_them(model, tmp_path):
    names = ("helpful", "safe")
    for seed, name in enumerate(names):
        scorer = load_scorer(model, seed=seed, dtype=torch.float32)
        save_model(scorer, tmp_path / name, tokenizer_from=model, dtype=torch.bfloat16)
    settings = tmp_path / "judge.toml"
    settings.write_text("".join(f'[reward_models.{n}]\nmodel = "{tmp_path / n}"\n' for n in names))
    response = "<think>well</think>It is 52."
    items = []
    for name, view in zip(names, ("summary", "whole"), strict=True):
        items.append(
            Item(prompt="50 + 2?", response=response, judge=JudgeTask(mode=JudgeTask.HELPFUL))
        )
        options = {"model": name, "view": view, "scale": "raw"}
        items[-1].inline_recipe.parts.add(name="reward_model", options=options)
    told = ("--log-level", "warning", "--sandbox", "none", "--judge", str(settings))
    with EmbeddedServer(*told) as server, VerifierClient(server.address) as client:
        verdicts = list(client.verify(items))
        assert client.describe().reward_model == "helpful, safe"
    assert [verdict.status for verdict in verdicts] == [Verdict.OK] * 2, verdicts
    read = Conversations(Tokenizer(model), "pointwise")
    for name, seen, verdict in zip(names, ("It is 52.", response), verdicts, strict=True):
        row = {"messages": [{"role": "user", "content": "50 + 2?"}], "response": seen, "label": 1}
        # What bfloat16 has left of the weights is computed with in float32.
        ours_of_it = ours(load_scorer(tmp_path / name, seed=9, dtype=torch.float32), [read(row)])
        assert verdict.reward == pytest.approx(ours_of_it.item(), abs=1e-5)
        assert verdict.provenance.reward_model == str(tmp_path / name)


# ---- repeating and going on -----------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_same_run_twice_gives_the_same_bits(model, tmp_path, dtype):
    data = pairs_at(tmp_path / "pairs.jsonl")
    for name in ("one", "two"):
        train(recipe(tmp_path / name, model, data, model={"dtype": dtype}))
    assert metrics(tmp_path / "one") == metrics(tmp_path / "two")
    one, two = (weights_of(tmp_path / name, 3) for name in ("one", "two"))
    assert "score.weight" in one
    assert all(torch.equal(one[name], two[name]) for name in one)


RUN = """
import sys
from pathlib import Path
from tests.trainer.test_reward_model import recipe
from trainer.reward_model import train
train(recipe(*map(Path, sys.argv[1:]), data={"epochs": 10}))
"""


def test_a_killed_run_goes_on_to_the_same_curve(model, tmp_path):
    data, whole, broken = (
        pairs_at(tmp_path / "pairs.jsonl"),
        tmp_path / "whole",
        tmp_path / "broken",
    )
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
    data = pairs_at(tmp_path / "pairs.jsonl", 13)
    # 13 rows in batches of 4: the last of an epoch's has one row, and two ranks share it.
    sections = {"data": {"batch_size": 4}, "eval": {"path": str(data), "every": 2}}
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
    alone, spread = weights_of(tmp_path / "one", 4), weights_of(tmp_path / "sp", 4)
    assert all(torch.allclose(alone[n], spread[n], rtol=1e-4, atol=1e-5) for n in alone)


# ---- what is wrong --------------------------------------------------------------


def test_weights_that_are_no_numbers_stop_it_with_the_batch_kept(tmp_path):
    broken = model_at(tmp_path / "model")
    tensors = load_file(broken / "model.safetensors")
    tensors["model.norm.weight"][0] = math.nan
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    run = tmp_path / "run"
    with pytest.raises(
        TrainingStopped, match=r"step 0: the loss is nan; the batch is in .*bad-batch"
    ):
        train(recipe(run, broken, pairs_at(tmp_path / "pairs.jsonl")))
    kept = load_file(run / "bad-batch-step-0-rank-0.safetensors")
    assert kept["ids"].numel() == kept["lengths"].sum()
    assert checkpoint.steps(run / "checkpoints") == []


def test_a_pair_must_fit_into_a_pass(model, tmp_path):
    data = pairs_at(tmp_path / "pairs.jsonl")
    with pytest.raises(ValueError, match="at least the longest sample, 1024 tokens, got 256"):
        recipe(tmp_path / "run", model, data, data={"max_tokens": 512})
    recipe(tmp_path / "run", model, data, data={"max_tokens": 256, "kind": "pointwise"})


def test_the_papers_figures_are_the_defaults():
    told = RewardModelConfig.model_validate_json(
        '{"model": {"path": "m"}, "data": {"path": "d"}, "run": {"dir": "r"}}'
    )
    data = told.data
    assert (told.optimizer.lr, data.batch_size, data.epochs, data.max_tokens) == (
        6e-6,
        256,
        1,
        8192,
    )


def test_memory_is_without_the_vocabularys_head(tmp_path):
    untied = model_at(tmp_path / "model", tie_word_embeddings=False)
    data = pairs_at(tmp_path / "pairs.jsonl")
    rows = dict(preflight(recipe(tmp_path / "run", untied, data), 1).rows)
    scorer = load_scorer(untied, seed=0, dtype=torch.float32)
    assert rows["parameters"] == 4 * sum(p.numel() for p in scorer.parameters())
    assert "lm_head.weight" not in dict(scorer.named_parameters())
    assert rows["logits of a chunk, float32"] == 0


def test_check_reads_data_and_starts_nothing(model, tmp_path):
    data = pairs_at(tmp_path / "pairs.jsonl")
    file = tmp_path / "recipe.toml"
    file.write_text(
        f'[model]\npath = "{model}"\n[data]\npath = "{data}"\nmax_tokens = 128\n'
        f'[run]\ndir = "{tmp_path / "run"}"\n'
    )
    done = CliRunner().invoke(app, ["reward-model", str(file), "--check"])
    assert done.exit_code == 0, done.output
    assert "can run" in done.output
    assert not (tmp_path / "run").exists()


def test_another_commands_checkpoint_is_refused(model, tmp_path):
    from tests.trainer import test_sft as sft
    from trainer.checkpoint import CheckpointError

    told = sft.recipe(tmp_path / "run", model, sft.rows_at(tmp_path / "rows.jsonl", 4))
    sft.train(told)
    with pytest.raises(CheckpointError, match=r"of touchstone-train sft, this is .* reward-model"):
        train(recipe(tmp_path / "run", model, pairs_at(tmp_path / "pairs.jsonl")))


def test_a_run_that_is_done_stays_as_it_is(model, tmp_path):
    data = pairs_at(tmp_path / "pairs.jsonl")
    sections = {"eval": {"path": str(data)}}
    for _ in range(2):
        train(recipe(tmp_path / "run", model, data, **sections))
    assert [line["step"] for line in metrics(tmp_path / "run")] == [0, 1, 2, 3]
