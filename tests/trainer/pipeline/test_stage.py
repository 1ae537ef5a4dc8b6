"""What a stage starts: the engine's command, training, values of recipes; and how all of it ends."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trainer.pipeline.test_run import alive, descendants, wait
from trainer.pipeline import stage
from trainer.pipeline.stage import Engine, Service, Settings, StageFailed, Work, as_toml

ROOT = Path(__file__).parents[3]
SERVER = """
import http.server, os, pathlib, signal, subprocess, sys
port, told, stubborn = int(sys.argv[1]), sys.argv[2], len(sys.argv) > 3
if stubborn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
print(told, flush=True)
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def work(directory: Path, command: str, port: int) -> Work:
    engine = Engine(kind="vllm", url=f"http://127.0.0.1:{port}", command=command)
    return Work(directory, {}, Settings(0, "", 1, Service(), engine))


@contextmanager
def served(port: int) -> Iterator[None]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(port), "other"], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        yield
        other.kill()


def test_an_engine_gets_the_models_folder_as_one_word_and_ends(tmp_path: Path) -> None:
    server, model = tmp_path / "server.py", tmp_path / "a model's folder"
    server.write_text(SERVER)
    model.mkdir()
    port = free_port()
    told = work(tmp_path, f"{sys.executable} {server} {port} {{model}}", port)
    with told.engine(model) as engine:
        assert engine is not None
        below = descendants(os.getpid())
        assert (tmp_path / "engine.log").read_text() == f"{model}\n"
    assert not any(alive(one) for one in below if "server.py" in command_of(one[0]))


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def test_another_server_at_its_address_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "ENGINE_LEAVES_WITHIN_S", 0.6)
    port = free_port()
    told = work(tmp_path, "touch {model}.started", port)
    with (
        served(port),
        pytest.raises(StageFailed, match=r"^engine\.url: another server answers"),
        told.engine(tmp_path / "model"),
    ):
        raise AssertionError("it was taken for the engine")
    assert not (tmp_path / "model.started").exists()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("no-such-command {model}", r"^engine\.command: no-such-command: No such file"),
        ("false {model}", r"^engine\.command: ended with status 1; .*engine\.log$"),
    ],
)
def test_an_engine_that_does_not_start(tmp_path: Path, command: str, message: str) -> None:
    told = work(tmp_path, command, free_port())
    with pytest.raises(StageFailed, match=message), told.engine(tmp_path):
        raise AssertionError("it did not start")


def test_one_that_does_not_want_to_end_is_killed_with_its_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "ENDS_WITHIN_S", 0.5)
    server = tmp_path / "server.py"
    server.write_text(SERVER)
    port = free_port()
    before = descendants(os.getpid())
    with work(tmp_path, f"{sys.executable} {server} {port} {{model}} stubborn", port).engine(
        tmp_path
    ):
        below = descendants(os.getpid()) - before
        assert len(below) == 2
    wait(lambda: not any(map(alive, below)))


# ---- training --------------------------------------------------------------------

LAUNCHER = """
import signal, subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
def end(*_):
    worker.terminate()
    worker.wait()
    sys.exit(1)
signal.signal(signal.SIGTERM, end)
open(sys.argv[1], "w").write("began")
time.sleep(300)
"""
DRIVER = """
import sys
from pathlib import Path
from trainer.cli import _interrupt
from trainer.pipeline.stage import Service, Settings, Work
import signal
signal.signal(signal.SIGTERM, _interrupt)
Work(Path("."), {}, Settings(0, sys.argv[1], 1, Service(), None)).trainer("sft")
"""


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_launcher_is_told_to_end_and_can_end_its_workers(
    tmp_path: Path, sign: signal.Signals
) -> None:
    launcher, began = tmp_path / "launcher.py", tmp_path / "began"
    launcher.write_text(LAUNCHER)
    launch = shlex.join([sys.executable, str(launcher), str(began)])
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, launch], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    wait(began.exists, process)
    below = descendants(process.pid)
    assert len(below) == 2
    process.send_signal(sign)
    process.wait(30)
    wait(lambda: not any(map(alive, below)))


def test_a_launcher_that_is_not_there(tmp_path: Path) -> None:
    told = Work(tmp_path, {}, Settings(0, "no-such-launcher -m x", 1, Service(), None))
    with pytest.raises(StageFailed, match=r"^pipeline\.launch: no-such-launcher: No such file"):
        told.trainer("sft")


# ---- values ----------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS


@given(
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    )
)
def test_any_value_of_a_recipe_comes_back(value: Any) -> None:
    assert tomllib.loads(f"value = {as_toml(value)}") == {"value": value}


def test_a_path_is_a_text() -> None:
    assert as_toml(Path("a/😀")) == '"a/😀"'
