"""`check` for callers without an event loop: any thread, under asyncio or not.

The steps before the symbolic one run in the caller's thread. A symbolic step goes to
one background thread of this process, which holds an event loop and its workers; it
is started when first needed and found again by process id, so a forked child starts
its own.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Sequence

from verifier.math.check import MathVerdict, MathVerifier, judge
from verifier.math.policy import MathPolicy

CLOSE_S = 5.0
"""Seconds to end the workers when the interpreter exits; they end by themselves too."""


def check(gold: Sequence[str], response: str, policy: MathPolicy | None = None) -> MathVerdict:
    """Whether a response answers as one of the references does.

    Args:
        gold: reference answers, LaTeX or plain text; any one suffices.
        response: the model's whole output.
        policy: conventions; see MathPolicy.

    Safe in any thread. It blocks, for milliseconds or, where the symbolic step is
    needed, up to some seconds; in a coroutine prefer `MathVerifier.check`.

    Raises ValueError without a reference.
    """
    policy = policy or MathPolicy()
    verdict, pending = judge(gold, response, policy)
    return _background().check(gold, response, policy) if pending else verdict


class _Background:
    """An event loop in a thread of its own, with one verifier."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._serve, name="verifier.math", daemon=True)
        self.ready = threading.Event()
        self.thread.start()
        self.ready.wait()

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.verifier = MathVerifier()
        self.loop.call_soon(self.ready.set)
        self.loop.run_forever()
        self.loop.close()

    def check(self, gold: Sequence[str], response: str, policy: MathPolicy) -> MathVerdict:
        work = self.verifier.check(gold, response, policy)
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def close(self) -> None:
        if os.getpid() != self.pid or not self.loop.is_running():
            return
        asyncio.run_coroutine_threadsafe(self.verifier.close(), self.loop).result(CLOSE_S)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(CLOSE_S)


_lock = threading.Lock()
_current: _Background | None = None


def _background() -> _Background:
    global _current
    with _lock:
        if _current is None or _current.pid != os.getpid():
            _current = _Background()
        return _current


def close() -> None:
    """Ends the background workers; the next symbolic check starts new ones."""
    global _current
    with _lock:
        current, _current = _current, None
    if current is not None:
        current.close()


atexit.register(close)
