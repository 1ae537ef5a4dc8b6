"""What all adapters share: samples in, rewards out, under one policy for those without one.

    rewarder = Rewarder("127.0.0.1:50051", on_failure="zero", columns={"math": "answer"})
    scored = rewarder.score([Sample(row, response=text, name="row 0") for row, text in ...])

Importing this needs grpc and protobuf only. A Rewarder holds no connection and may be pickled.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, fields
from typing import TypedDict

from verifier.adapters.batching import Link, NoReward, connection
from verifier.adapters.rows import BadRow, Columns, Sample, item_of
from verifier.client import (
    Item,
    OnFailure,
    Priority,
    Tls,
    Verdict,
    VerificationFailed,
    rewards,
)
from verifier.v1.verifier_pb2 import Recipe

__all__ = [
    "NoReward",
    "Options",
    "Rewarder",
    "Sample",
    "Scored",
    "accuracy",
    "scores_of",
    "status_of",
]

log = logging.getLogger(__name__)


class Options(TypedDict, total=False):
    """What every adapter takes by keyword, beside the service's address."""

    on_failure: OnFailure
    """What becomes of a sample without a reward; `raise` unless said otherwise."""
    columns: Mapping[str, str]
    """The column of each Item field that is not in the column of its own name."""
    recipe: str | Recipe | None
    """Of all samples, in place of the rows' own."""
    wait_seconds: float
    """What a service that is away or full is waited for; 60."""
    timeout_s: float
    """Of one batch, from sending it to its last verdict; 1800."""
    batch_items: int
    """Most items sent in one call; 256."""
    window_ms: float
    """What a sample waits for others to be sent with; 5."""
    token: str | None
    """None, here and below: what the environment says (verifier/client/reach.py)."""
    tls: Tls | Mapping[str, str] | None
    """Its fields, with the paths of files, where a configuration is all that can be given."""
    client: str | None
    """The name under which the service shares itself out: clients of one name have one share."""
    priority: Priority | None
    insecure: bool | None
    """The token may travel without TLS to another machine."""


@dataclass(frozen=True)
class Scored:
    """Of each sample, at its place.

    `values` are the rewards under the policy; where `counts` is False the sample must be left out
    of its group's mean and standard deviation, and out of the loss.
    """

    verdicts: list[Verdict]
    values: list[float | None]
    counts: list[bool]

    def numbers(self) -> list[float]:
        """The values, of a policy that gives one to every sample. Raises NoReward under `none`."""
        numbers = [value for value in self.values if value is not None]
        if len(numbers) < len(self.values):
            raise NoReward(f"{len(self.values) - len(numbers)} samples have no reward, not even 0")
        return numbers


class Rewarder:
    """Scores samples.

    `trainer` and `policies` say for whom, and which policies it has a way to follow; `usual` are
    the columns of its datasets. Raises ValueError for a setting that will not do, naming it.
    """

    def __init__(
        self,
        address: str,
        *,
        on_failure: OnFailure = "raise",
        columns: Mapping[str, str] | None = None,
        recipe: str | Recipe | None = None,
        wait_seconds: float = 60.0,
        timeout_s: float = 1800.0,
        batch_items: int = 256,
        window_ms: float = 5.0,
        token: str | None = None,
        tls: Tls | Mapping[str, str] | None = None,
        client: str | None = None,
        priority: Priority | None = None,
        insecure: bool | None = None,
        trainer: str = "a Rewarder",
        policies: Sequence[str] = ("none", "raise", "zero", "mask"),
        usual: Mapping[str, str] | None = None,
    ) -> None:
        if on_failure not in policies:
            raise ValueError(
                f"on_failure: {trainer} takes one of {', '.join(policies)}, got {on_failure!r}"
            )
        if recipe is not None and not isinstance(recipe, str | Recipe):
            raise ValueError(f"recipe: a name or a Recipe, got {recipe!r}")
        self.on_failure: OnFailure = on_failure
        self._link = Link(
            address,
            timeout_s,
            wait_seconds,
            batch_items,
            window_ms,
            token=token,
            tls=_tls(tls),
            client=client,
            priority=priority,
            insecure=insecure,
        )
        self._columns = Columns(dict(columns or {}), dict(usual or {}))
        self._recipe = recipe

    def score(self, samples: Sequence[Sample]) -> Scored:
        """Blocks until the last verdict is there. Raises NoReward, ColumnMissing."""
        prepared = self._prepare(samples)
        waiting = self._submit(prepared)
        try:
            return self._settle(prepared, waiting.result())
        finally:
            waiting.cancel()

    async def ascore(self, samples: Sequence[Sample]) -> Scored:
        """The same in any event loop, which goes on with other work meanwhile."""
        prepared = self._prepare(samples)
        return self._settle(prepared, await asyncio.wrap_future(self._submit(prepared)))

    def _prepare(self, samples: Sequence[Sample]) -> list[Item | Verdict]:
        """An item of each sample, or the verdict that it cannot be one."""
        prepared = list[Item | Verdict]()
        for sample in samples:
            try:
                prepared.append(item_of(sample, self._columns, self._recipe))
            except BadRow as error:
                verdict = Verdict(id=sample.name, status=Verdict.INVALID)
                verdict.evidence.message = str(error)
                prepared.append(verdict)
        return prepared

    def _submit(self, prepared: list[Item | Verdict]) -> Future[list[Verdict]]:
        items = [one for one in prepared if isinstance(one, Item)]
        return connection(self._link).submit(items)

    def _settle(self, prepared: list[Item | Verdict], came: list[Verdict]) -> Scored:
        answers = iter(came)
        verdicts = [one if isinstance(one, Verdict) else next(answers) for one in prepared]
        try:
            found = rewards(verdicts, self.on_failure)
        except VerificationFailed as error:
            raise NoReward(str(error)) from error
        without = [verdict for verdict in verdicts if not verdict.HasField("reward")]
        if without:
            log.warning("on_failure = %s: %s", self.on_failure, VerificationFailed(without))
        return Scored(verdicts, found.values, found.counts)


def _tls(told: Tls | Mapping[str, str] | None) -> Tls | None:
    if told is None or isinstance(told, Tls):
        return told
    known = [one.name for one in fields(Tls)]
    if not isinstance(told, Mapping) or not set(told) <= set(known):
        # What it holds may be a key.
        names = sorted(map(str, told)) if isinstance(told, Mapping) else type(told).__name__
        raise ValueError(f"tls: a Tls, or an object of {', '.join(known)}, got {names}")
    return Tls(**told)


def status_of(verdict: Verdict) -> str:
    """Its status by name."""
    return Verdict.Status.Name(verdict.status)


def scores_of(verdict: Verdict) -> dict[str, float]:
    """The scores of its parts by name, 0 to 1; a part that could not be scored is left out."""
    return {part.name: part.score for part in verdict.parts if part.HasField("score")}


def accuracy(verdict: Verdict) -> float | None:
    """The score of its accuracy part, 0 to 1; None without one."""
    return scores_of(verdict).get("accuracy")
