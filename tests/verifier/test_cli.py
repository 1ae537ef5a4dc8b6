"""The command line as a person runs it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

from verifier.embedded import EmbeddedServer

GOOD = {"id": "a", "response": "\\boxed{4}", "math": {"gold": ["4"]}}
WRONG = {"id": "b", "response": "\\boxed{5}", "math": {"gold": ["4"]}}


def touchstone(*arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "verifier.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, input=stdin, timeout=60)


def write(path: Path, *lines: object) -> Path:
    path.write_text(
        "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    )
    return path


def test_verify_with_an_embedded_server(tmp_path: Path) -> None:
    items = write(tmp_path / "items.jsonl", GOOD, WRONG)
    run = touchstone("verify", "--input", items, "--output", tmp_path / "verdicts.jsonl")
    assert run.returncode == 0, run.stderr
    verdicts = [json.loads(line) for line in (tmp_path / "verdicts.jsonl").open()]
    assert [v["id"] for v in verdicts] == ["a", "b"]
    assert [v["status"] for v in verdicts] == ["OK", "OK"]
    assert [v["reward"] for v in verdicts] == [1.0, 0.0]
    assert [v["parts"][0]["reason"] for v in verdicts] == ["match", "no_match"]
    assert "no_match" in run.stderr
    assert "2 verdicts, mean reward 0.5000" in run.stderr
    assert "\x1b" not in run.stderr


def test_verify_against_a_running_server_from_standard_input(server: EmbeddedServer) -> None:
    run = touchstone(
        "verify", "--input", "-", "--output", "-", "--address", server.address,
        stdin=json.dumps(GOOD) + "\n",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["reward"] == 1.0


def test_bad_lines_are_named_and_the_others_verified(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    items = write(tmp_path / "items.jsonl", GOOD, '{"id": ', {"id": "c", "gold": 1}, WRONG)
    out = tmp_path / "verdicts.jsonl"
    run = touchstone("verify", "--input", items, "--output", out, "--address", server.address)
    assert run.returncode == 1
    assert f"{items}: line 2: not JSON" in run.stderr
    assert f"{items}: line 3: gold: no such field" in run.stderr
    verdicts = [json.loads(line) for line in out.open()]
    assert [v["id"] for v in verdicts] == ["a", "line 2", "c", "b"]
    assert [v["status"] for v in verdicts] == ["OK", "INVALID", "INVALID", "OK"]
    assert "gold" in verdicts[2]["evidence"]["message"]


def test_an_item_without_a_verdict_is_a_failure(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    items = write(tmp_path / "items.jsonl", GOOD)
    run = touchstone("verify", "--input", items, "--address", address)
    assert run.returncode == 1
    assert "UNAVAILABLE" in run.stderr


def test_an_interrupt_keeps_what_came_and_says_how_much(tmp_path: Path) -> None:
    items = write(tmp_path / "items.jsonl", GOOD, "[]", WRONG)
    out = tmp_path / "verdicts.jsonl"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        line = ["verify", "--input", items, "--output", out, "--address", address]
        run = subprocess.Popen(
            [sys.executable, "-m", "verifier.cli", *map(str, line)],
            stderr=subprocess.PIPE,
            text=True,
        )
        silent.settimeout(60)
        with silent.accept()[0]:
            run.send_signal(signal.SIGINT)
            _, said = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "interrupted: 0 of 2 items have a verdict" in said
    assert "Traceback" not in said
    assert [json.loads(line)["id"] for line in out.open()] == ["line 2"]


def test_recipes_of_ones_own(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine.toml", tmp_path / "other.toml"
    mine.write_text("name = 'mine'\n[[parts]]\nname = 'format'\n")
    run = touchstone("recipes", mine)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("mine (version 1, ")
    assert run.stdout.endswith(")\n  reward = format\n")
    other.write_bytes(b"name = '\xff'")
    run = touchstone("recipes", mine, other)
    assert run.returncode == 2
    assert f"{other}: not UTF-8 at byte 8" in run.stderr


def test_describe(server: EmbeddedServer) -> None:
    run = touchstone("describe", "--address", server.address)
    assert run.returncode == 0, run.stderr
    told = touchstone("describe", "--json", "--address", server.address)
    assert json.loads(told.stdout)["limits"]["batch_items"] == 16_384
    for word in ("math", "code", "r1_zero", "r1_reasoning", "python", "T3", "batch_items"):
        assert word in run.stdout


def test_verify_without_a_sandbox(tmp_path: Path) -> None:
    code = {"id": "c", "code": {"language": "python", "tests": [{"stdout": ""}]}}
    items = write(tmp_path / "items.jsonl", GOOD, code)
    out = tmp_path / "verdicts.jsonl"
    run = touchstone("verify", "--input", items, "--output", out, "--sandbox", "none")
    assert run.returncode == 0, run.stderr
    math, program = (json.loads(line) for line in out.open())
    assert math["reward"] == 1.0
    assert program["status"] == "INVALID"
    assert "runs no programs" in program["evidence"]["message"]


def test_output_that_cannot_be_written_is_said_before_any_work(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    items = write(tmp_path / "items.jsonl", GOOD)
    for bad in (tmp_path / "nowhere" / "out", tmp_path, items):
        run = touchstone("verify", "--input", items, "--output", bad, "--address", server.address)
        assert run.returncode == 2
        assert "--output" in run.stderr
        assert "Traceback" not in run.stderr
    assert json.loads(items.read_text()) == GOOD
    full = touchstone(
        "verify", "--input", items, "--output", "/dev/full", "--address", server.address
    )
    assert full.returncode == 2
    assert "No space left" in full.stderr


def test_serve_says_what_is_wrong(server: EmbeddedServer) -> None:
    taken = touchstone("serve", "--listen", server.address)
    assert taken.returncode == 2
    assert "--listen" in taken.stderr
    assert server.address in taken.stderr
    tier = touchstone("serve", "--listen", "127.0.0.1:0", "--require-tier", "T9")
    assert tier.returncode == 2
    assert "T9" in tier.stderr


def test_missing_input_file() -> None:
    run = touchstone("verify", "--input", "/nowhere/items.jsonl")
    assert run.returncode == 2
    assert "/nowhere/items.jsonl" in run.stderr.replace("\n", "").replace("│", "").replace(" ", "")
