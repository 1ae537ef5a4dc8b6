"""A server of one's own for as long as a `with` block lasts.

The server is a separate process (its event loop does not compete with the
caller's for the interpreter lock) that ends with its parent: it watches its
standard input, which closes when the parent is gone, however it went.
"""

from __future__ import annotations

import subprocess
import sys
from types import TracebackType

READY_PREFIX = "listening on "
"""What `touchstone serve` prints first; the address follows."""

STOP_SECONDS = 15.0
"""How long a stopping server may take before it is killed; its own grace is 5 s."""


class ServerFailed(Exception):
    """The server did not start; the message is what it said."""


class EmbeddedServer:
    """`with EmbeddedServer() as server: ... server.address`. Arguments go to `touchstone serve`."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self._process: subprocess.Popen[str] | None = None
        self.address = ""

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    def __enter__(self) -> EmbeddedServer:
        command = [sys.executable, "-m", "verifier.cli", "serve", "--listen", "127.0.0.1:0"]
        self._process = subprocess.Popen(
            [*command, "--end-with-stdin", *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # A Ctrl-C at the terminal is for the parent, which then stops the
            # server in order.
            start_new_session=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line.startswith(READY_PREFIX):
            process, self._process = self._process, None
            with process:
                code = process.wait()
            raise ServerFailed(f"touchstone serve ended with status {code} before it listened")
        self.address = line.removeprefix(READY_PREFIX)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        with process:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
