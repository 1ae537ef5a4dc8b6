"""`touchstone-train`, as a person calls it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.trainer.support import digits, tiny_model
from trainer import checkpoint
from trainer.config import GrpoConfig, SftConfig
from trainer.describe import table
from trainer.log import read_metrics, read_rollouts
from verifier.embedded import EmbeddedServer

ROOT = Path(__file__).parents[2]
TINY_RECIPE = ROOT / "examples/recipes/tiny.toml"


def touchstone_train(*arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "trainer.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, text=True, timeout=120, check=False)  # fmt: skip


def refused(*arguments: object) -> str:
    run = touchstone_train(*arguments)
    assert run.returncode == 2, run
    assert run.stdout == ""
    assert "Traceback" not in run.stderr
    assert run.stderr.startswith("touchstone-train: ")
    return run.stderr.removeprefix("touchstone-train: ").rstrip("\n")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def test_help_is_quick() -> None:
    heavy = "{'torch', 'pydantic', 'plotly', 'pyarrow', 'transformers', 'grpc'} & set(sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", f"import sys, trainer.cli; print({heavy})"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert loaded.stdout == "set()\n"
    run = touchstone_train("--help")
    assert run.returncode == 0
    for command in ("grpo", "sft", "reward-model", "sample", "report", "export", "fields"):
        assert f" {command} " in run.stdout


def test_fields() -> None:
    assert touchstone_train("fields").stdout == table(GrpoConfig) + "\n"
    assert touchstone_train("fields", "sft").stdout == table(SftConfig) + "\n"
    assert refused("fields", "ppo") == "one of grpo, sft, reward-model, pipeline, got 'ppo'"


def test_recipes_that_cannot_run(model: Path, tmp_path: Path) -> None:
    assert refused("grpo", tmp_path / "none.toml") == f"{tmp_path / 'none.toml'}: No such file or directory"  # fmt: skip
    said = refused("grpo", TINY_RECIPE, "--set", "rollout.group_sise=3", "--set", "run.steps=0")
    assert said.splitlines() == [
        "rollout.group_sise: no such key; did you mean rollout.group_size?",
        "run.steps: should be greater than 0, got 0",
    ]
    said = refused("grpo", TINY_RECIPE, "--set", f"model.path={model}", "--set", "parallel.tp=2")
    assert said == "parallel.tp: must divide the number of processes, 1, got 2"
    assert "rollout: no such key" in refused("sft", TINY_RECIPE).splitlines()


def test_check_starts_nothing(model: Path, tmp_path: Path) -> None:
    data = digits(tmp_path / "data.jsonl")
    asked = ["grpo", TINY_RECIPE, "--check"]
    for setting in (f"model.path={model}", f"run.dir={tmp_path / 'run'}", f"data.path={data}", "data.template=none"):  # fmt: skip
        asked += ["--set", setting]
    run = touchstone_train(*asked)
    assert run.returncode == 0, run.stderr
    assert "can run" in run.stdout
    assert "GiB  in all" in run.stdout
    said = refused(*asked, "--set", "data.max_prompt_tokens=8")
    assert said.startswith(f"{data}, line 1: prompt: at most data.max_prompt_tokens = 8 tokens")
    assert (
        refused(*asked, "--set", "eval.path=none.jsonl") == "none.jsonl: No such file or directory"
    )
    broken = tiny_model(tmp_path / "broken")
    tensors = load_file(broken / "model.safetensors")
    del tensors["model.norm.weight"]
    save_file(tensors, broken / "model.safetensors")
    said = refused(*asked, "--set", f"model.path={broken}")
    assert said == f"model.path: {broken}: tensors are missing: model.norm.weight"
    assert not (tmp_path / "run").exists()


def test_a_run_that_is_interrupted_says_how_to_go_on(
    model: Path, server: EmbeddedServer, tmp_path: Path
) -> None:
    data = digits(tmp_path / "data.jsonl")
    asked = [sys.executable, "-m", "trainer.cli", "grpo", str(TINY_RECIPE)]
    for setting in (f"model.path={model}", f"run.dir={tmp_path / 'run'}", f"data.path={data}", "data.template=none", f"reward.address={server.address}", "rollout.prompts_per_rollout=4", "rollout.max_new_tokens=4", "run.threads=1", "run.tensorboard=false"):  # fmt: skip
        asked += ["--set", setting]
    run = subprocess.Popen(asked, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
    assert run.stdout is not None
    assert run.stdout.readline().startswith("step   0 of 200 ")
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130, said
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("stopped; the same command goes on")


def test_sample(model: Path) -> None:
    asked = ("sample", model, "1+1=", "a\x1b[31m", "--template", "none", "--max-new-tokens", 8, "--samples", 2)  # fmt: skip
    run = touchstone_train(*asked)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("--- 1+1=: ") == 2
    assert run.stdout.count("--- a\\u001b[31m: ") == 2
    assert "\x1b" not in run.stdout
    assert touchstone_train(*asked, "--seed", 1).stdout != run.stdout
    read = touchstone_train("sample", model, "-", "--template", "none", "--temperature", 0, stdin="1+1=\n\n2+2=\n")  # fmt: skip
    assert read.stdout.count("--- ") == 2
    assert "data.template" in refused("sample", model, "x", "--template", "unknown")
    assert "tokenizer.json: no such file" in refused("sample", model.parent, "x")
    assert refused("sample", model, "", "--template", "none") == "prompts: no tokens come of ''"
    assert refused("sample", model, "-") == "prompts: no lines at standard input"
    assert refused("sample", model, "x", "--top-p", 0) == "--top-p: above 0, at most 1, got 0.0"
    said = refused("sample", model, "x", "--template", "none", "--max-new-tokens", 512)
    assert said == "--max-new-tokens: the model has 511 positions left, got 512"
    assert refused("sample", model, "x", "--dtype", "int8") == "--dtype: float32 or bfloat16, got 'int8'"  # fmt: skip


def test_a_run_from_recipe_to_model(model: Path, server: EmbeddedServer, tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    problems = [
        {"id": str(n), "prompt": f"{n}+1=", "math": {"gold": [str(n + 1)]}} for n in range(8)
    ]
    data.write_text("".join(json.dumps(one) + "\n" for one in problems))
    run = tmp_path / "run"
    asked: list[object] = ["grpo", TINY_RECIPE]
    for key, value in {
        "model.path": model, "data.path": data, "data.template": "none", "reward.address": server.address,
        "run.dir": run, "run.steps": 2, "rollout.prompts_per_rollout": 4, "rollout.max_new_tokens": 12,
        "reward.recipe": "r1_zero", "eval.path": data, "eval.samples": 2,
    }.items():  # fmt: skip
        asked += ["--set", f"{key}={value}"]
    began = time.monotonic()
    done = touchstone_train(*asked)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 60
    lines = done.stdout.splitlines()
    assert [line.split(" · ")[0] for line in lines] == ["step 0 of 2", "step 1 of 2", "at the end"]
    assert f"touchstone-train report {run}" in done.stderr
    assert [row["step"] for row in read_metrics(run)] == [0, 1, 2]
    assert len(read_rollouts(run, 1)) == 4 * 8

    page = touchstone_train("report", run)
    assert page.returncode == 0, page.stderr
    assert page.stderr.strip() == str(run / "report.html")
    assert (run / "report.html").read_text().startswith("<!doctype html>")
    beside = touchstone_train("report", run, "--against", run, "--output", tmp_path / "two.html")
    assert beside.returncode == 0, beside.stderr
    assert (tmp_path / "two.html").stat().st_size > (run / "report.html").stat().st_size

    out = tmp_path / "exported"
    exported = touchstone_train("export", run, out, "--dtype", "float32")
    assert exported.returncode == 0, exported.stderr
    assert "after 2 steps" in exported.stderr
    assert f"touchstone-train export {run} " in refused("sample", run, "1+1=")
    saved = dict(checkpoint.weights(run / "checkpoints" / "step-00000002"))
    written = load_file(out / "model.safetensors")
    assert saved.keys() == written.keys()
    assert all(torch.equal(saved[name], written[name]) for name in saved)
    assert json.loads((out / "config.json").read_text()) == json.loads((model / "config.json").read_text())  # fmt: skip
    assert touchstone_train("sample", out, "1+1=", "--max-new-tokens", 4).returncode == 0
    assert refused("export", run, out) == f"{out}: exists already"

    data.write_text('{"id": "1"}\n' + data.read_text() + "{\n")
    said = refused(*asked)
    assert f"{data}, line 1: " in said
    assert f"{data}, line 10: " in said


def test_a_disk_that_takes_no_more_is_named(
    model: Path, server: EmbeddedServer, tmp_path: Path
) -> None:
    data = digits(tmp_path / "data.jsonl")
    command = f"ulimit -f 100; exec {sys.executable} -m trainer.cli grpo {TINY_RECIPE}"
    for setting in (
        f"model.path={model}", f"data.path={data}", f"run.dir={tmp_path / 'run'}",
        f"reward.address={server.address}", "data.template=none", "run.steps=2",
        "rollout.max_new_tokens=4", "run.tensorboard=false",
    ):  # fmt: skip
        command += f" --set {setting}"
    run = subprocess.run(command, cwd=ROOT, shell=True, executable="/bin/bash", capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
    assert run.returncode == 2, run
    assert "Traceback" not in run.stderr
    last = run.stderr.splitlines()[-1]
    assert last.startswith(f"touchstone-train: {tmp_path / 'run' / 'checkpoints'}: ")
    assert "File too large" in last
    assert checkpoint.steps(tmp_path / "run" / "checkpoints") == []


def test_what_has_no_run(tmp_path: Path) -> None:
    assert refused("report", tmp_path) == f"{tmp_path}/metrics.jsonl: No such file or directory"
    assert "not a checkpoint" in refused("export", tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
