"""The sequence of stages with tiny models and the real service: what is made, what is not made
again, what stops it, and what a kill leaves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.pipeline.support import config, files, text, three, write
from trainer.config import ConfigError
from trainer.log import RunError, claimed
from trainer.pipeline.config import load_pipeline
from trainer.pipeline.manifest import ManifestError, digest, read_manifest
from trainer.pipeline.run import plan, run, select, survey
from trainer.pipeline.stage import StageFailed
from verifier.embedded import EmbeddedServer

ROOT = Path(__file__).parents[3]
RATED = """
[model]
path = "unused"
[data]
path = "unused"
kind = "pairwise"
max_tokens = 64
batch_size = 4
[optimizer]
lr = 1e-3
[budget]
micro_batch_tokens = 512
[run]
dir = "unused"
"""


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with EmbeddedServer("--log-level", "warning", "--sandbox", "none") as server:
        yield server.address


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return files(tmp_path_factory.mktemp("given"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, held: dict[str, Path], service: str) -> Path:
    """The recipe of a pipeline that is complete."""
    folder = tmp_path_factory.mktemp("made")
    recipe = write(folder / "r.toml", text(held, folder / "out", three(held), service))
    run(config(recipe), None, None, again=False)
    return recipe


@pytest.fixture
def mine(made: Path, held: dict[str, Path], service: str, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    shutil.copytree(made.parent / "out", tmp_path / "out")
    return write(tmp_path / "r.toml", text(held, tmp_path / "out", three(held), service))


def manifests(directory: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in directory.glob("*/manifest.json")}


def written(directory: Path) -> dict[str, int]:
    return {path.parent.name: path.stat().st_mtime_ns for path in directory.glob("*/manifest.json")}


def states(recipe: Path, *told: str) -> dict[str, str]:
    return {one.name: one.state for one in survey(config(recipe, *told))}


def told_by(
    recipe: Path,
    *words: str,
    first: str | None = None,
    last: str | None = None,
    again: bool = False,
) -> dict[str, str]:
    read = config(recipe, *words)
    return {found.name: what for found, what in plan(read, select(read, first, last), again)}


# ---- what a complete pipeline is -------------------------------------------------


def test_every_stage_has_its_manifest(made: Path) -> None:
    out = made.parent / "out"
    zero, dev1, table = (read_manifest(out / name) for name in ("zero", "dev1", "table"))
    assert zero is not None
    assert dev1 is not None
    assert table is not None
    assert (zero.made.kind, dev1.made.kind, table.made.kind) == ("grpo", "sft", "table")
    assert zero.outputs == {"model": digest(out / "zero/model")}
    assert table.made.inputs["models.Zero"].sha256 == zero.outputs["model"]
    assert table.made.inputs["models.Zero"].origin == "zero"
    assert set(table.outputs) == {"table.json", "table.md"}
    assert zero.made.config["recipe"]["run"]["steps"] == 3
    assert zero.figures["last"]["step"] == 2
    assert not any("time" in key for key in zero.figures["last"])
    # Nothing of when and where the stages ran.
    assert str(made.parents[1]) not in "".join(map(bytes.decode, manifests(out).values()))
    assert json.loads((out / "zero/timing.json").read_text())["seconds"] > 0
    assert (out / "pipeline.html").read_text().startswith("<!doctype html>")
    assert (out / "zero/run/report.html").is_file()


def test_what_is_complete_is_not_made_again(made: Path) -> None:
    before = written(made.parent / "out")
    assert set(states(made).values()) == {"complete"}
    run(config(made), None, None, again=False)
    assert written(made.parent / "out") == before
    assert set(told_by(made).values()) == {"nothing, it is complete"}


def test_only_some_stages(mine: Path) -> None:
    out = mine.parent / "out"
    before = written(out)
    run(config(mine), "table", "table", again=True)
    after = written(out)
    assert {name for name in after if after[name] != before[name]} == {"table"}
    assert told_by(mine, first="dev1", last="dev1", again=True) == {
        "zero": "left as it is", "dev1": "make anew", "table": "left as it is",
    }  # fmt: skip
    shutil.rmtree(out / "dev1")
    assert states(mine) == {"zero": "complete", "dev1": "waiting", "table": "changed"}
    with pytest.raises(StageFailed, match=r"^table: made from something else .*\n.*not complete"):
        run(config(mine), "table", None, again=False)
    with pytest.raises(StageFailed, match=r"^table: needs dev1, which is not complete$"):
        run(config(mine), "table", None, again=True)
    for first, last, message in (
        ("dev2", None, "--from: one of zero, dev1, table, got 'dev2'"),
        (None, "dev2", "--until: one of zero, dev1, table, got 'dev2'"),
        ("table", "zero", "--until: a stage not before --from table, got 'zero'"),
    ):
        with pytest.raises(ConfigError) as raised:
            run(config(mine), first, last, again=False)
        assert str(raised.value) == message


# ---- what has changed ------------------------------------------------------------


def test_a_changed_configuration_stops_it_and_says_what(mine: Path) -> None:
    told = "stages.dev1.set.optimizer.lr=2e-3"
    assert states(mine, told) == {"zero": "complete", "dev1": "changed", "table": "complete"}
    message = (
        r"^dev1: made .*\nconfig\.set\.optimizer\.lr: 'nothing', now 0\.002\n--from dev1 --again"
    )
    for first in (None, "table"):  # that is made from it
        with pytest.raises(StageFailed, match=message):
            run(config(mine, told), first, None, again=False)
    run(config(mine, told), None, "zero", again=False)  # that is not
    assert told_by(mine, told)["dev1"] == "stop: it was made from something else"
    before = manifests(mine.parent / "out")
    run(config(mine, told), "dev1", None, again=True)
    after = manifests(mine.parent / "out")
    assert (after["zero"] == before["zero"], after["dev1"] == before["dev1"]) == (True, False)
    assert set(states(mine, told).values()) == {"complete"}
    # Where and how it is trained is not part of what is made.
    assert set(states(mine, told, "pipeline.threads=2", "pipeline.launch=x").values()) == {
        "complete"
    }
    assert "changed" in states(mine, told, "pipeline.seed=1").values()


def test_changed_files_stop_it(mine: Path, held: dict[str, Path], tmp_path: Path) -> None:
    data = write(tmp_path / "more.jsonl", held["rows"].read_text())
    recipe = write(tmp_path / "sft.toml", held["sft"].read_text())
    told = [f"data.rows={data}", f"stages.dev1.recipe={recipe}"]
    # The same content at another place.
    assert set(states(mine, *told).values()) == {"complete"}
    data.write_text(held["rows"].read_text() + '{"text": "one more"}\n')
    write(recipe, held["sft"].read_text().replace("epochs = 1", "epochs = 2"))
    [changed] = [one for one in survey(config(mine, *told)) if one.state == "changed"]
    keys = [line.partition(":")[0] for line in changed.why.splitlines()]
    assert keys == ["config.recipe.data.epochs", "inputs.data.sha256"]


def test_an_output_that_was_changed_is_not_used(mine: Path) -> None:
    out = mine.parent / "out"
    shutil.rmtree(out / "table")
    with (out / "dev1/model/model.safetensors").open("r+b") as weights:
        weights.seek(-1, os.SEEK_END)
        weights.write(b"\x01")
    with pytest.raises(
        StageFailed, match=r"^dev1: .*/dev1/model is not what it made, .* --from dev1 --again"
    ):
        run(config(mine), None, None, again=False)
    shutil.rmtree(out / "dev1/model")
    with pytest.raises(StageFailed, match=r"^dev1: .* is not what it made"):
        run(config(mine), None, None, again=False)


def test_a_stage_that_fails_is_begun_and_goes_on(
    held: dict[str, Path], service: str, tmp_path: Path
) -> None:
    rows = write(tmp_path / "rows.jsonl", '{"nothing": 1}\n')
    stages = {"dev1": three(held)["dev1"]}
    recipe = write(
        tmp_path / "r.toml", text(held | {"rows": rows}, tmp_path / "out", stages, service)
    )
    with pytest.raises(StageFailed, match=r"^touchstone-train sft .*: ended with status 2$"):
        run(config(recipe), None, None, again=False)
    assert states(recipe) == {"dev1": "begun"}
    assert told_by(recipe) == {"dev1": "go on"}
    rows.write_text(held["rows"].read_text())
    assert states(recipe) == {"dev1": "changed"}  # begun with other data
    run(config(recipe), None, None, again=True)
    assert states(recipe) == {"dev1": "complete"}


# ---- what cannot be --------------------------------------------------------------


def problems(recipe: Path) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load_pipeline(recipe, [])
    return str(raised.value).splitlines()


def test_all_problems_at_once(held: dict[str, Path], tmp_path: Path) -> None:
    base = f'[pipeline]\ndir = "{tmp_path}/out"\n[models]\nbase = "{held["base"]}"\n'
    recipe = write(tmp_path / "r.toml", base + """
[stages.zero]
kind = "grpo"
modle = "base"
data = "problems"
recipe = "x.toml"
[stages.dev1]
kind = "sfd"
[stages.dev2]
model = "base"
""")  # fmt: skip
    assert problems(recipe) == [
        "stages.zero.model: required",
        "stages.zero.modle: no such key; did you mean stages.zero.model?",
        "stages.dev1.kind: one of 'grpo', 'sft', 'reward_model', 'cold_start', 'rejection', 'pairs', 'table', got 'sfd'",
        "stages.dev2.kind: required",
    ]
    write(recipe, base + f"""
[data]
rows = "{held["rows"]}"
base = "{held["rows"]}"
gone = "{tmp_path}/gone.jsonl"
[stages.zero]
kind = "grpo"
model = "rows"
data = "dev1"
recipe = "{held["grpo"]}"
set.rollout.group_sise = 3
set.run.steps = 0
[stages.dev1]
kind = "sft"
model = "bose"
data = "zero"
recipe = "{tmp_path}/none.toml"
[stages.rows]
kind = "sft"
model = "dev1"
data = "gone"
recipe = "{held["sft"]}"
""")  # fmt: skip
    assert problems(recipe) == [
        "data.base: another name is wanted, models.base has it",
        "stages.zero.model: a model is wanted, 'rows' is data",
        "stages.zero.data: an earlier stage is wanted, 'dev1' is not before it",
        "stages.zero.set.rollout.group_sise: no such key; did you mean rollout.group_size?",
        "stages.zero.set.run.steps: should be greater than 0, got 0",
        "stages.dev1.model: an earlier stage, a name in [models] or a model's directory, got bose",
        "stages.dev1.data: data is wanted, 'zero' is a model",
        f"stages.dev1.recipe: {tmp_path}/none.toml: no such file",
        "stages.rows: another name is wanted, [models] or [data] has it",
        f"stages.rows.data: an earlier stage, a name in [data] or a file, got {tmp_path}/gone.jsonl",
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("run.dir", '"elsewhere"'), ("model.path", '"elsewhere"'), ("data.path", '"elsewhere"'),
        ("reward.address", '"127.0.0.1:9"'),
    ],
)  # fmt: skip
def test_what_the_pipeline_sets_cannot_be_set(
    made: Path, key: str, value: str, tmp_path: Path
) -> None:
    with pytest.raises(
        ConfigError, match=f"stages.zero.set.{key}: the pipeline gives it its value"
    ):
        config(made, f"stages.zero.set.{key}={value}")


def test_a_stage_is_not_its_own_input_whatever_lies_in_the_folder(
    made: Path, held: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("zero", "dev1"):
        shutil.copytree(held["base"], tmp_path / name)
    for reference in ("zero", "dev1"):  # itself, and a later one
        message = f"^stages.zero.model: an earlier stage is wanted, '{reference}' is not before it$"
        with pytest.raises(ConfigError, match=message):
            config(made, f'stages.zero.model="{reference}"')


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (["pipeline.seed=9223372036854775808"], r"pipeline\.seed: below 2\*\*63 is wanted"),
        (['pipeline.launch="a \'b"'], r"pipeline\.launch: No closing quotation"),
        (['service.judge="gone.toml"'], r"service\.judge: gone\.toml: No such file"),
        ([f'stages.dev1.data="{"a" * 5000}"'], r"stages\.dev1\.data: .* or a file, got a+$"),
        (
            ['engine={kind="vllm", url="http://127.0.0.1:1", command="serve"}'],
            r"engine\.command: \{model\} is wanted in it",
        ),
    ],
)
def test_what_cannot_be_run_is_told_before(made: Path, told: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config(made, *told)


def test_a_reward_model_and_a_model_that_writes_are_two_things(
    held: dict[str, Path], tmp_path: Path
) -> None:
    rated = write(tmp_path / "rm.toml", RATED)
    head = {"kind": "reward_model", "model": "base", "data": "rows", "recipe": str(rated)}
    zero = three(held)["zero"]
    stages = {
        "head": head,
        "writes": {**zero, "model": "head"},
        "scored": {**zero, "reward_models": {"a": "writes"}},
        "deeper": {**head, "model": "head"},
    }
    recipe = write(tmp_path / "r.toml", text(held, tmp_path / "out", stages, "embedded"))
    assert problems(recipe) == [
        "stages.writes.model: a model that writes is wanted, got a reward model",
        "stages.scored.reward_models.a: a stage of kind reward_model is wanted, got one of kind grpo",
    ]


# ---- what is damaged -------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '"x"', "{}", '{"stage": "zero", "kind": "grpo", "config": {}, "inputs": [], '
     '"outputs": {}, "figures": {}}'],
)  # fmt: skip
def test_a_damaged_manifest_is_named(mine: Path, content: str) -> None:
    path = mine.parent / "out/table/manifest.json"
    path.write_text(content)
    with pytest.raises(ManifestError, match=r"^.*table/manifest\.json: .+\Z"):  # one line
        run(config(mine), None, None, again=False)


@pytest.mark.parametrize("content", ["", "[]", '{"seconds": "x"}', '{"seconds": NaN}', "1"])
def test_damaged_times_are_nothing(mine: Path, content: str) -> None:
    (mine.parent / "out/zero/timing.json").write_text(content)
    assert set(states(mine).values()) == {"complete"}
    run(config(mine), None, None, again=False)


def test_what_no_stage_began_is_neither_used_nor_taken_away(mine: Path) -> None:
    table = mine.parent / "out/table"
    shutil.rmtree(table)
    write_at = table / "mine.txt"
    table.mkdir()
    write_at.write_text("mine")
    for again in (False, True):
        with pytest.raises(StageFailed, match=r"table: 'mine\.txt' is in it, and no stage began"):
            run(config(mine), "table", None, again=again)
    assert write_at.read_text() == "mine"


def test_nothing_is_taken_away_that_cannot_be_made_anew(mine: Path) -> None:
    out = mine.parent / "out"
    shutil.rmtree(out / "dev1")
    with pytest.raises(StageFailed, match=r"^table: needs dev1, which is not complete$"):
        run(config(mine), "table", None, again=True)
    assert (out / "table/manifest.json").exists()
    with pytest.raises(StageFailed, match=r"^zero: made from something else"):
        run(config(mine, "stages.zero.set.run.steps=2"), "table", None, again=True)
    assert (out / "table/manifest.json").exists()


def test_two_in_one_directory(made: Path) -> None:
    out = made.parent / "out"
    with (
        claimed(out),
        pytest.raises(RunError, match=f"^pipeline.dir: another run is going on in {out}$"),
    ):
        run(config(made), None, None, again=False)


# ---- the command, and kill -9 ----------------------------------------------------


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "trainer.cli", *map(str, words)]


def say(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_command(made: Path) -> None:
    done = say("pipeline", made, "--dry-run", "--set", "stages.dev1.set.run.seed=4")
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["stage", "kind", "state", "seconds", "would"]
    assert lines[1][:3] == ["zero", "grpo", "complete"]
    assert lines[2][:3] == ["dev1", "sft", "changed"]
    assert lines[3] == ["config.set.run.seed:", "'nothing',", "now", "4"]
    stopped = say("pipeline", made, "--set", "stages.dev1.set.run.seed=4")
    assert stopped.returncode == 2
    assert "touchstone-train: dev1: made from something else" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    table = say("pipeline-table", made.parent / "out", made.parent / "out")
    assert table.returncode == 0, table.stderr
    assert table.stdout.count("\n| Zero | ") == 1
    assert (
        "| cold start lowers language mixing: language, Dev1 > Zero | cannot be told | 0 of 2 |"
        in table.stdout
    )
    none = say("pipeline-table", made.parent)
    assert none.returncode == 2
    assert none.stderr == f"touchstone-train: {made.parent}: no complete stage of kind table\n"


def descendants(pid: int) -> set[tuple[int, str]]:
    """Processes below one, each with its start time, by which its id is known to be its own."""
    parents = dict[int, tuple[int, str]]()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(path.parent.name)] = int(fields[1]), fields[19]
    found, left = set[tuple[int, str]](), [pid]
    while left:
        above = left.pop()
        below = {(one, start) for one, (parent, start) in parents.items() if parent == above}
        found |= below
        left += [one for one, _ in below]
    return found


def alive(process: tuple[int, str]) -> bool:
    try:
        fields = Path(f"/proc/{process[0]}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[19] == process[1] and fields[0] != "Z"


def wait(until: Callable[[], Any], process: subprocess.Popen[bytes] | None = None) -> None:
    for _ in range(6000):
        if until():
            return
        assert process is None or process.poll() is None, "it ended before it was to be killed"
        time.sleep(0.01)
    raise AssertionError("not within a minute")


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_killed_in_each_stage_it_comes_to_the_same(
    made: Path, held: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    recipe = write(tmp_path / "r.toml", text(held, out, three(held), "embedded"))
    moments: dict[str, Callable[[], Any]] = {
        "a stage begins": lambda: (out / "zero/started.json").exists(),
        "a step of GRPO is done": lambda: lines(out / "zero/run/metrics.jsonl") >= 1,
        "a model is being written": lambda: (out / "zero/.model.draft").exists(),
        "a step of fine-tuning is done": lambda: lines(out / "dev1/run/metrics.jsonl") >= 2,
        "some samples are there": lambda: (out / "table/samples/Zero/chunk-00000.parquet").exists(),
    }
    for moment, come in moments.items():
        with (tmp_path / "log").open("ab") as log:
            process = subprocess.Popen(
                command("pipeline", recipe), cwd=ROOT, stdout=log, stderr=log
            )
        wait(come, process)
        below = descendants(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait(lambda below=below: not any(map(alive, below)))  # type: ignore[misc]
        assert not (out / "table/manifest.json").exists(), moment
    done = say("pipeline", recipe)
    assert done.returncode == 0, done.stderr
    unbroken = made.parent / "out"
    assert manifests(out) == manifests(unbroken)
    for name in ("zero/model", "dev1/model", "table/table.json", "table/table.md"):
        assert digest(out / name) == digest(unbroken / name), name
    assert len(list(out.glob("*/.*"))) == 0
    assert set(states(recipe).values()) == {"complete"}
