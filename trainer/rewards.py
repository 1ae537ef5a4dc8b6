"""Rewards from the verification service, while generation goes on.

Invariants: every response gets its verdict, and a verdict that came is never asked for twice; a
service that is away is waited for, with a message, and what it had not answered is sent again.
"""

from __future__ import annotations

import logging
import math
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import grpc
import tenacity
from google.protobuf import json_format

from trainer.data import DataError
from trainer.optimize import TrainingStopped
from verifier.client import Item, ServiceError, Verdict, VerifierClient
from verifier.v1.verifier_pb2 import Recipe

log = logging.getLogger(__name__)

CALLS_AT_ONCE = 16
"""Groups verified at once: more than any machine's sandbox slots would be idle waiting."""

AWAY = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
    }
)
"""What is said of a service that may be back soon: dead or starting, full, or silent."""

LEAST_SILENCE_S = 60.0
"""What a service that is there may take for a group at least."""

LONGEST_WAIT_S = 10.0
"""Between two tries, so that a run goes on soon after the service is back."""


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

    A group without all its verdicts after `wait_seconds` ends the run: TrainingStopped.
    """

    def __init__(self, address: str, *, wait_seconds: float) -> None:
        self._client = VerifierClient(address, timeout_s=max(wait_seconds, LEAST_SILENCE_S))
        self._address = address
        self._wait_seconds = wait_seconds
        self._told = -LONGEST_WAIT_S
        self._threads = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="verify")

    def submit(self, items: Sequence[Item]) -> Future[list[Verdict]]:
        """Starts verifying; the verdicts stand at their items' places."""
        return self._threads.submit(self._verify, list(items))

    def _verify(self, items: list[Item]) -> list[Verdict]:
        came: dict[int, Verdict] = {}

        def ask() -> None:
            missing = [place for place in range(len(items)) if place not in came]
            try:
                for number, verdict in self._client.stream([items[place] for place in missing]):
                    if number >= len(missing) or not math.isfinite(verdict.reward):
                        raise self._stopped(
                            f"item {number} of {len(missing)}, {verdict.id!r}: "
                            f"reward {verdict.reward}"
                        )
                    came[missing[number]] = verdict
            except ServiceError as error:
                if error.code in AWAY:
                    raise
                raise self._stopped(str(error)) from error

        patience = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(ServiceError),
            wait=tenacity.wait_exponential(max=LONGEST_WAIT_S),
            stop=tenacity.stop_after_delay(self._wait_seconds),
            before_sleep=self._waiting,
            reraise=True,
        )
        try:
            patience(ask)
        except ServiceError as error:
            raise self._stopped(
                f"{error}; waited for, reward.wait_seconds = {self._wait_seconds:g}"
            ) from error
        if len(came) != len(items):
            raise self._stopped(f"answered {len(came)} of {len(items)} items without an error")
        return [came[place] for place in range(len(items))]

    def _stopped(self, why: str) -> TrainingStopped:
        return TrainingStopped(f"the verification service {self._address}: {why}")

    def _waiting(self, state: tenacity.RetryCallState) -> None:
        assert state.outcome is not None
        if time.monotonic() < self._told + LONGEST_WAIT_S:
            return  # of another group that waits
        self._told = time.monotonic()
        log.warning(
            "the verification service %s is away (%s); waiting, %.0f s so far",
            self._address,
            state.outcome.exception(),
            state.seconds_since_start or 0.0,
        )

    def close(self) -> None:
        """Ends what is under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()
