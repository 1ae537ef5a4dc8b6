"""What a run leaves behind: nothing lost but a torn line, nothing kept of an earlier life."""

from __future__ import annotations

import json
import os
import pty
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.config import GrpoConfig, load_recipe
from trainer.log import (
    METRICS,
    SCHEMA,
    RolloutRow,
    RunError,
    RunLog,
    claimed,
    describe,
    read_metrics,
    read_rollouts,
    rollouts_file,
    steps_with_rollouts,
    visible,
)

ROOT = Path(__file__).parents[2]


def run_log(directory: Path, first_step: int = 0, **changes: object) -> RunLog:
    told: dict[str, object] = {
        "tensorboard": False,
        "wandb": None,
        "total_steps": 10,
        "quiet": True,
    }
    return RunLog(directory, first_step=first_step, **(told | changes))  # type: ignore[arg-type]


def row(step: int, sample: int = 0, **changes: object) -> RolloutRow:
    told: dict[str, object] = {
        "step": step, "prompt_id": f"p{sample}", "group": 0, "sample": sample, "prompt": "1+1=", "response": "2",
        "tokens": 2, "finish": "stop", "version": step, "reward": 1.0, "advantage": 0.5, "status": "OK",
        "reason": "MATCH", "parts_json": "[]",
    }  # fmt: skip
    return RolloutRow(**(told | changes))  # type: ignore[arg-type]


def test_a_directory_has_one_run_at_a_time(tmp_path: Path) -> None:
    taken = pytest.raises(RunError, match=r"run\.dir: another run")
    with claimed(tmp_path / "run"), taken, claimed(tmp_path / "run"):
        pass
    with claimed(tmp_path / "run"):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="file: File exists"), claimed(tmp_path / "file"):
        pass


def test_another_recipe_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def told(**optimizer: float) -> GrpoConfig:
        tables = {"model": {"path": "m"}, "data": {"path": "d"}, "run": {"dir": "r"}}
        return GrpoConfig.model_validate_json(json.dumps(tables | {"optimizer": optimizer}))

    for one in (told(lr=0.1), told(lr=0.1), told(lr=0.2)):
        caplog.clear()
        run_log(tmp_path, config=one).close()
    assert caplog.messages == ["optimizer.lr was 0.1, is 0.2"]


def test_metrics_come_back_to_the_bit(tmp_path: Path) -> None:
    chance = random.Random(3)
    log = run_log(tmp_path)
    written = [
        {"reward/mean": chance.gauss(0, 10 ** chance.randint(-300, 300)), "policy/lr": step / 3}
        for step in range(10)
    ]
    for step, metrics in enumerate(written):
        log.step(step, metrics)
        assert read_metrics(tmp_path)[-1] == {"step": step, **metrics}  # at once, not at the end
    log.close()
    assert read_metrics(tmp_path) == [{"step": n, **one} for n, one in enumerate(written)]


def test_numbers_that_are_not_finite_are_null(tmp_path: Path) -> None:
    log = run_log(tmp_path)
    log.step(0, {"a": float("nan"), "b": float("inf"), "c": -float("inf"), "d": 1})
    log.close()

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    line = (tmp_path / METRICS).read_text()
    assert json.loads(line, parse_constant=refuse) == {"step": 0, "a": None, "b": None, "c": None, "d": 1.0}  # fmt: skip


def test_rollouts_come_back(tmp_path: Path) -> None:
    rows = [
        row(
            4,
            0,
            response="<think>\x00\x1b[31m \U0001f600 \u202e</think>",
            reward=None,
            advantage=None,
        ),
        row(4, 1, prompt="half a pair: \ud83d!", reward=-1e300),
    ]
    log = run_log(tmp_path)
    log.rollouts(4, rows)
    log.rollouts(5, [])
    log.close()
    read = read_rollouts(tmp_path, 4)
    assert read[0] == rows[0]
    assert read[1].prompt == "half a pair: ?!"
    assert read_rollouts(tmp_path, 5) == read_rollouts(tmp_path, 6) == []
    table = pq.read_table(rollouts_file(tmp_path, 4))
    assert table.schema.equals(SCHEMA)
    assert pq.read_table(rollouts_file(tmp_path, 5)).schema.equals(SCHEMA)


def test_going_on_forgets_what_came_later(tmp_path: Path) -> None:
    log = run_log(tmp_path)
    for step in range(6):
        log.step(step, {"reward/mean": float(step)})
        log.rollouts(step, [row(step)])
    log.close()
    torn = tmp_path / "rollouts" / ".step-00000006.parquet.draft"
    torn.write_bytes(b"PAR1")
    log = run_log(tmp_path, first_step=4)
    assert [one["step"] for one in read_metrics(tmp_path)] == [0, 1, 2, 3]
    assert steps_with_rollouts(tmp_path) == [0, 1, 2, 3]
    assert not torn.exists()
    log.step(4, {"reward/mean": 40.0})
    log.close()
    assert [one["reward/mean"] for one in read_metrics(tmp_path)] == [0, 1, 2, 3, 40]


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_torn_last_line_is_dropped(tmp_path: Path, cut: int) -> None:
    log = run_log(tmp_path)
    for step in range(3):
        log.step(step, {"reward/mean": 0.1})
    log.close()
    path = tmp_path / METRICS
    path.write_bytes(path.read_bytes()[:-cut])
    assert [one["step"] for one in read_metrics(tmp_path)] == [0, 1]
    log = run_log(tmp_path, first_step=2)
    log.step(2, {"reward/mean": 0.2})
    log.close()
    assert [one["reward/mean"] for one in read_metrics(tmp_path)] == [0.1, 0.1, 0.2]


def test_damage_elsewhere_is_named(tmp_path: Path) -> None:
    path = tmp_path / METRICS
    with pytest.raises(RunError, match="No such file"):
        read_metrics(tmp_path)
    for line, said in (
        ("{", "line 2: "),
        ("[1]", "line 2: a step's metrics"),
        ("{}", "line 2: a step's"),
        ('{"step": 1, "a": "<b>"}', "line 2: a step's"),
        ('{"step": 1, "a": NaN}', "line 2: a step's"),
        ('{"step": 1, "a": 1e999}', "line 2: a step's"),
    ):
        path.write_text(f'{{"step": 0}}\n{line}\n{{"step": 2}}\n')
        with pytest.raises(RunError, match=said):
            read_metrics(tmp_path)
    rollouts_file(tmp_path, 0).parent.mkdir()
    rollouts_file(tmp_path, 0).write_bytes(b"PAR1 and no more")
    with pytest.raises(RunError, match="step-00000000"):
        read_rollouts(tmp_path, 0)


WRITER = """
import sys
from pathlib import Path
from tests.trainer.test_log import row, run_log
log = run_log(Path(sys.argv[1]), total_steps=10**9)
step = 0
while True:
    log.step(step, {f"metric/{n}": step + n / 7 for n in range(200)})
    log.rollouts(step, [row(step, n, response="x" * 500) for n in range(20)])
    step += 1
"""


def test_killed_at_any_moment(tmp_path: Path) -> None:
    chance = random.Random(1)
    for life in range(4):
        directory = tmp_path / str(life)
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(directory)], cwd=ROOT)
        try:
            deadline = time.monotonic() + 60
            while not steps_with_rollouts(directory) and time.monotonic() < deadline:
                time.sleep(0.02)
            time.sleep(chance.random() / 4)
        finally:
            writer.send_signal(signal.SIGKILL)
            writer.wait()
        metrics = read_metrics(directory)
        assert [one["step"] for one in metrics] == list(range(len(metrics)))
        assert all(one["metric/3"] == one["step"] + 3 / 7 for one in metrics)
        kept = steps_with_rollouts(directory)
        assert kept == list(range(len(kept)))
        assert len(metrics) - 1 <= len(kept) <= len(metrics)
        assert all(len(read_rollouts(directory, step)) == 20 for step in kept)
        run_log(directory, first_step=len(kept)).close()
        assert [one["step"] for one in read_metrics(directory)] == kept


def test_the_recipe_lies_beside(tmp_path: Path) -> None:
    recipe = load_recipe(ROOT / "examples/recipes/tiny.toml", [f"run.dir={tmp_path}"], GrpoConfig)
    run_log(tmp_path, config=recipe).close()
    held = json.loads((tmp_path / "recipe.json").read_text())
    assert GrpoConfig.model_validate_json(json.dumps(held)) == recipe


def test_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = run_log(tmp_path, tensorboard=True)
    for step in range(5):
        log.step(step, {"reward/mean": step / 4, "policy/kl": float("nan")})
    log.close()
    log = run_log(tmp_path, first_step=3, tensorboard=True)
    log.step(3, {"reward/mean": 30.0})
    log.close()
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert events.Tags()["scalars"] == ["reward/mean"]
    found = [(event.step, event.value) for event in events.Scalars("reward/mean")]
    assert found == [(0, 0.0), (1, 0.25), (2, 0.5), (3, 30.0)]


def test_loggers_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.log.find_spec", lambda name: None)
    with pytest.raises(RunError, match=r"run\.wandb: .* not installed"):
        run_log(tmp_path, wandb="project")
    log = run_log(tmp_path, tensorboard=True)
    log.step(0, {"a": 1.0})
    log.close()
    assert not (tmp_path / "tensorboard").exists()


def test_wandb_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    log = run_log(tmp_path, wandb="project")
    log.step(0, {"reward/mean": 0.25})
    log.close()
    assert list(tmp_path.glob("wandb/offline-run-*/*.wandb"))


# ---- the terminal ----------------------------------------------------------------

STEP = {
    "reward/mean": 0.5123, "reward/accuracy": 0.25, "length/mean": 87.4, "length/clipped_share": 0.031,
    "policy/entropy": 1.25, "policy/kl": 0.00123, "policy/clip_share": 0.0042, "policy/lr": 3e-6,
    "mismatch/logprob_abs_median": 1.2e-7, "time/step_s": 3.21, "rate/completions_per_s": 1234.4,
    "rate/tokens_per_s": 56789.0, "policy/unnamed": 1.0, "eval/pass@1": 0.5,
}  # fmt: skip


def test_a_step_in_one_line() -> None:
    assert describe(8, 100, STEP) == (
        "step   8 of 100 · reward 0.512 · right 25.0% · length 87 · cut 3.1% · entropy 1.250 · kl 0.0012"
        " · clip 0.42% · mismatch 1.2e-07 · lr 3.0e-06 · 3.2 s · 1,234 completions/s · 56,789 tokens/s"
        " · eval/pass@1 0.500"
    )
    assert describe(100, 100, {"eval/pass@1": 1.0}) == "at the end · eval/pass@1 1.000"
    assert describe(0, 1, {"reward/failed_share": 0.0}) == "step 0 of 1"
    assert describe(0, 1, {"reward/failed_share": 0.5}) == "step 0 of 1 · failed 50.0%"


def test_plain_lines_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = run_log(tmp_path, first_step=4, quiet=False, log_every=3)
    for step in range(4, 11):  # the last is the evaluation at the end
        evaluated = step in (7, 10)
        log.step(step, {k: v for k, v in STEP.items() if evaluated or not k.startswith("eval/")})
    log.close()
    lines = capsys.readouterr().out.splitlines()
    shown = [line.split(" · ")[0] for line in lines]
    assert shown == [*(f"step  {n} of 10" for n in (5, 7, 8, 9)), "at the end"]
    assert all(line.rpartition(" · ")[2].startswith("left 0:00:0") for line in lines[:-1])
    assert "left" not in lines[-1]
    assert "\x1b" not in "".join(lines)
    run_log(tmp_path, first_step=4).step(4, STEP)
    assert capsys.readouterr().out == ""


SHOWS = """
import sys, time
from pathlib import Path
from tests.trainer.test_log import STEP, run_log
log = run_log(Path(sys.argv[1]), quiet=False)
for step in range(5):
    time.sleep(0.15)
    log.step(step, STEP)
log.close()
"""


def test_progress_at_a_terminal(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "250", "PYTHONUTF8": "1"}
    shows = subprocess.Popen(
        [sys.executable, "-c", SHOWS, str(tmp_path)], cwd=ROOT, env=environment, stdout=theirs
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            said += os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
    assert shows.wait() == 0
    text = said.decode()
    assert text.count("reward 0.512") == 5
    assert "5/10" in text  # the bar's
    assert " left " in text


@given(st.text())
def test_what_is_shown_hides_nothing(text: str) -> None:
    shown = visible(text)
    assert not any(ord(c) < 32 and c not in "\t\n" for c in shown)
    assert not {"\u202e", "\u2066", "\u200b", "\x7f", "\x9b", "\ufeff"} & set(shown)
    shown.encode()
    if text.isascii() and text.isprintable():
        assert shown == text
