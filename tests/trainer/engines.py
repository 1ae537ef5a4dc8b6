"""Real servers of SGLang and vLLM for tests, and tiny models for them to serve.

Installed by scripts/install-engines.sh under build/engines; where they are not, tests that want
them are skipped and say so. A server ends with the process that started it, however that went.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from trainer.rollout.servers import server_command

ROOT = Path(__file__).parents[2]

Kind = Literal["sglang", "vllm"]

CONTEXT = 4096
"""Tokens of a prompt and its completion."""

START_SECONDS = 420.0
"""Most of it imports; on a crowd of other work they take minutes."""

# Runs a command in a session of its own and ends all of it when standard input closes, which it
# does when the parent is gone; an engine's own processes do not all notice that.
_GUARD = """
import os, signal, subprocess, sys, threading
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
def end(*_):
    os.killpg(server.pid, signal.SIGKILL)
threading.Thread(target=lambda: (os.read(0, 1), end()), daemon=True).start()
signal.signal(signal.SIGTERM, end)
os._exit(server.wait() & 255)
"""


def tiny_model(
    path: Path,
    *,
    tied: bool = False,
    seed: int = 0,
    vocab_size: int = 272,
    hidden_size: int = 64,
    layers: int = 2,
) -> Path:
    """A Qwen2 directory with random weights and a tokenizer of bytes; its heads have 32 numbers,
    vLLM's fewest. Token 0 ends a text."""
    torch.manual_seed(seed)
    alphabet = ["<|end|>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({token: n for n, token in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>").save_pretrained(path)
    config = Qwen2Config(
        vocab_size=vocab_size,
        hidden_size=hidden_size,
        intermediate_size=2 * hidden_size,
        num_hidden_layers=layers,
        num_attention_heads=hidden_size // 32,
        num_key_value_heads=hidden_size // 64,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=tied,
        bos_token_id=None,
        eos_token_id=0,
        # Large enough that distributions differ from token to token and from model to model.
        initializer_range=0.1,
        dtype="float32",
    )
    Qwen2ForCausalLM(config).save_pretrained(path)
    return path


def interpreter(kind: Kind) -> Path:
    """Of the environment the engine is installed in. Skips the test where there is none."""
    path = ROOT / "build" / "engines" / kind / "bin" / "python"
    if not path.exists():
        pytest.skip(f"{kind} is not installed (scripts/install-engines.sh {kind})")
    return path


class Server:
    """A running server and its processes."""

    def __init__(self, url: str, guard: subprocess.Popen[bytes], log: Path) -> None:
        self.url = url
        self.log = log
        self._guard = guard

    def pids(self) -> list[int]:
        """The server's processes, the one that speaks HTTP first."""
        found, queue = list[int](), _children(self._guard.pid)
        while queue:
            pid = queue.pop(0)
            found.append(pid)
            queue += _children(pid)
        return found

    def signal(self, number: signal.Signals, name: str = "") -> None:
        """To all its processes, or to those that are called so."""
        for pid in self.pids():
            if name in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(pid, number)


@contextlib.contextmanager
def served(kind: Kind, model: Path, directory: Path, *more: str) -> Iterator[Server]:
    """A server of the model for as long as the block lasts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = server_command(
        kind,
        model,
        python=str(interpreter(kind)),
        port=port,
        dtype="float32",
        context=CONTEXT,
        device="cpu",
        more=more,
    )
    log = directory / f"{kind}-{port}.log"
    with log.open("wb") as output:
        guard = subprocess.Popen(
            [sys.executable, "-c", _GUARD, *command.arguments],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **command.environment},
            cwd=directory,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, guard, log)
        yield Server(url, guard, log)
    finally:
        guard.terminate()
        guard.wait()


def _wait(url: str, guard: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if guard.poll() is not None:
            pytest.fail(f"the server ended with status {guard.returncode}:\n{_tail(log)}")
        with (
            contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
            urllib.request.urlopen(f"{url}/v1/models", timeout=10),
        ):
            return
        time.sleep(0.5)
    pytest.fail(f"no server after {START_SECONDS:g} s:\n{_tail(log)}")


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-4000:]


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
