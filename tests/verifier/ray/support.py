"""A cluster, and the service on it, each a process of its own that ends with a `with` block."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.verifier.ray.environment import PYTHON, ROOT
from tests.verifier.support import descendants
from verifier.embedded import READY_PREFIX

START_SECONDS = 150
STOP_SECONDS = 60

# Ray's own tokens would be written to the home of whoever runs this.
ENVIRONMENT = {**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}


@dataclass(frozen=True)
class Nodes:
    address: str
    nodes: list[int]
    """The raylet of each, the head's first."""

    def kill(self, node: int) -> None:
        """As if the machine lost its power: its raylet and all that runs under it at once. A raylet
        that is dead takes its workers along by itself, a moment later."""
        pid = self.nodes[node]
        for process in (pid, *descendants(pid)):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


@contextmanager
def cluster(count: int, cpus: int = 1) -> Iterator[Nodes]:
    with _process([PYTHON, "-m", "tests.verifier.ray.nodes", str(count), str(cpus)]) as process:
        yield Nodes(**json.loads(_line(process)))


@dataclass(frozen=True)
class Serving:
    address: str
    process: subprocess.Popen[str]
    nodes: Nodes

    def replicas(self) -> list[int]:
        """The processes of those there are, on nodes that live."""
        return [
            pid
            for raylet in self.nodes.nodes
            for pid, command in descendants(raylet).items()
            if command[0].startswith("ray::ServeReplica:touchstone")
        ]

    def stop(self) -> int:
        """Its exit status after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


@contextmanager
def serving(nodes: Nodes, *arguments: str, listen: str = "127.0.0.1") -> Iterator[Serving]:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
    command = [PYTHON, "-m", "verifier.cli", "serve", "--ray", "--ray-address", nodes.address]
    more = ["--listen", f"{listen}:{port}", "--log-level", "warning", "--end-with-stdin"]
    with _process([*command, *more, *arguments]) as process:
        line = _line(process)
        assert line.startswith(READY_PREFIX), line
        yield Serving(f"127.0.0.1:{port}", process, nodes)


@contextmanager
def _process(command: list[str | Path]) -> Iterator[subprocess.Popen[str]]:
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        with process:
            try:
                yield process
            except BaseException:
                errors.seek(0)
                print(errors.read()[-10_000:])
                raise
            finally:
                process.stdin.close()
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    """The first line that is said to us: Ray says things of its own before."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        line = process.stdout.readline()
        if not line or line.startswith(("{", READY_PREFIX)):
            return line.strip()
    raise AssertionError(f"nothing in {START_SECONDS} s")
