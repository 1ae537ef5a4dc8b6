"""Rewards from the verification service, while generation goes on.

Invariants: every response gets its verdict, and a verdict that came is never asked for twice; a
service that is away is waited for, with a message, and what it had not answered is sent again. The
client does all that, and this turns what it gives up into the end of the run.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from google.protobuf import json_format
from grpc import StatusCode

from trainer.data import DataError
from trainer.optimize import TrainingStopped
from verifier.client import BrokenAnswer, Item, ServiceError, Verdict, VerifierClient
from verifier.v1.verifier_pb2 import Recipe

CALLS_AT_ONCE = 16
"""Groups verified at once: more than any machine's sandbox slots would be idle waiting."""

AWAY = (StatusCode.UNAVAILABLE, StatusCode.RESOURCE_EXHAUSTED, StatusCode.DEADLINE_EXCEEDED)
"""What is said of a service that may be back soon: dead or starting, full, or silent."""

LEAST_SILENCE_S = 60.0
"""What a service that is there may take for a group at least."""


def read_recipe(told: str) -> Recipe | str:
    """What a file of TOML says, which the service checks; else the name of one that it has.

    Raises DataError.
    """
    if not told.endswith(".toml"):
        return told
    try:
        return json_format.ParseDict(tomllib.loads(Path(told).read_text("utf-8")), Recipe())
    except (OSError, ValueError, json_format.ParseError) as error:
        raise DataError(f"reward.recipe: {told}: {error}") from error


class Verification:
    """A client that takes groups of responses and gives their verdicts later.

    A group that waits for a verdict for `wait_seconds` ends the run: TrainingStopped. Token, TLS
    and the client's own name are the environment's to say (verifier/client/reach.py). Raises
    DataError for what will not do.
    """

    def __init__(self, address: str, *, wait_seconds: float) -> None:
        try:
            self._client = VerifierClient(
                address,
                timeout_s=max(wait_seconds, LEAST_SILENCE_S),
                resend_s=wait_seconds,
                program="touchstone-train",
            )
        except ValueError as error:
            raise DataError(f"reward.address: {error}") from error
        self._address = address
        self._wait_seconds = wait_seconds
        self._threads = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="verify")

    def submit(self, items: Sequence[Item]) -> Future[list[Verdict]]:
        """Starts verifying; the verdicts stand at their items' places."""
        return self._threads.submit(self._verify, list(items))

    def _verify(self, items: list[Item]) -> list[Verdict]:
        try:
            verdicts = self._client.verify(items)
        except ServiceError as error:
            limit = f"; waited for, reward.wait_seconds = {self._wait_seconds:g}"
            raise self._stopped(f"{error}{limit if error.code in AWAY else ''}") from error
        except BrokenAnswer as error:
            raise self._stopped(str(error)) from error
        for number, verdict in enumerate(verdicts):
            if not math.isfinite(verdict.reward):
                told = f"{verdict.id!r}: reward {verdict.reward}"
                raise self._stopped(f"item {number} of {len(items)}, {told}")
        return verdicts

    def _stopped(self, why: str) -> TrainingStopped:
        return TrainingStopped(f"the verification service {self._address}: {why}")

    def close(self) -> None:
        """Ends what is under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()
