"""Identical programs on identical tests are run once, within a batch and across batches.

Invariants: two items share an outcome only if everything that went into it is equal: program,
tests, limits, checkers, toolchain and the verifier's version; only an outcome that another run
would certainly repeat is kept; who waits for another's run and finds that it was cancelled runs
itself, and where an outcome is not to be shared nobody waits for its like again. Bounded in bytes,
the least recently used leaves first.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from cachetools import LRUCache

from verifier.code.judges import language_of
from verifier.outcome import TaskOutcome
from verifier.v1 import verifier_pb2 as pb

if TYPE_CHECKING:
    from verifier.code.verify import Submission

KEPT_BYTES = 256 << 20
"""Memory for outcomes: some 50,000 of them with 20 tests each."""

ALONE = 65_536
"""Keys remembered whose outcomes are not to be shared."""

OBJECT_BYTES = 4
"""A parsed message takes about so many times its serialised size."""


class Once:
    """Outcomes by what they rest on."""

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self._kept: LRUCache[bytes, tuple[TaskOutcome, int]] = LRUCache(
            most_bytes, getsizeof=lambda value: value[1]
        )
        self._alone: LRUCache[bytes, bool] = LRUCache(ALONE)
        self._at_work: dict[bytes, asyncio.Future[None]] = {}

    @staticmethod
    def key(
        submission: Submission, program: str, toolchains: Mapping[str, str], version: str
    ) -> bytes:
        """A hash of all that decides the outcome."""
        task = pb.CodeTask()
        task.CopyFrom(submission.task)
        # How the program was found is no matter, only what it is.
        task.ClearField("extraction")
        task.program = program
        judges = [task.language]
        for given, program_of_judge in (
            (task.HasField("checker_program"), task.checker_program),
            (task.HasField("interactor"), task.interactor),
        ):
            judges.append(language_of(program_of_judge) if given else "")
        versions = "\0".join(toolchains.get(name, "") for name in judges)
        digest = hashlib.sha256(task.SerializeToString(deterministic=True))
        digest.update(f"\0{versions}\0{version}\0{submission.measure_speed}".encode())
        return digest.digest()

    async def get(
        self,
        key: bytes,
        work: Callable[[], Awaitable[TaskOutcome]],
        shareable: Callable[[TaskOutcome], bool],
    ) -> TaskOutcome:
        """The outcome kept under the key, or that of `work`."""
        began = time.monotonic()
        while True:
            kept = self._kept.get(key)
            if kept is not None:
                waited = 1000 * (time.monotonic() - began)
                return _again(kept[0], waited)
            if key in self._alone or key not in self._at_work:
                break
            await asyncio.wait([self._at_work[key]])
        waited = 1000 * (time.monotonic() - began)
        if key in self._alone:
            outcome = await work()
            outcome.queued_ms += waited
            return outcome
        done = self._at_work[key] = asyncio.get_running_loop().create_future()
        try:
            outcome = await work()
            if shareable(outcome):
                size = OBJECT_BYTES * outcome.evidence.ByteSize() + 1024
                if size <= self._kept.maxsize:
                    self._kept[key] = _copy(outcome), size
            else:
                self._alone[key] = True
        finally:
            del self._at_work[key]
            done.set_result(None)
        outcome.queued_ms += waited
        return outcome


def _copy(outcome: TaskOutcome) -> TaskOutcome:
    evidence = pb.Evidence()
    evidence.CopyFrom(outcome.evidence)
    return replace(outcome, evidence=evidence)


def _again(outcome: TaskOutcome, waited_ms: float) -> TaskOutcome:
    return replace(_copy(outcome), queued_ms=waited_ms, cache_hit=True)
