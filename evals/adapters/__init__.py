"""The verification service inside of other harnesses: what their adapters share.

Needs what `verifier.client` needs; `embedded`, which starts a server, needs the extra `server`
in the harness's environment.
"""

from __future__ import annotations

import atexit
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from evals.service import connect_blocking
from verifier.client import Item, Verdict, VerifierClient

Kind = Literal["math", "choice"]
EMBEDDED = "embedded"


class NotVerified(Exception):
    """A response that the service could not verify, where the harness has no place for that."""


@dataclass(frozen=True)
class Outcome:
    """A verdict in the words that harnesses share."""

    score: float | None
    """In [0, 1]; None: not verified, which is no score."""
    answer: str
    """What was extracted from the response; "" for nothing."""
    explanation: str


@cache
def client(verifier: str) -> VerifierClient:
    """The client of a running server at host:port, or of one that ends with this process; safe to
    share between threads. Raises ServerFailed."""
    address = verifier
    if verifier == EMBEDDED:
        from verifier.embedded import EmbeddedServer

        server = EmbeddedServer("--log-level", "warning")
        address = server.__enter__().address
        atexit.register(server.__exit__, None, None, None)
    return connect_blocking(address)


def item(
    kind: Kind,
    response: str,
    gold: Sequence[str],
    options: Sequence[str] = (),
    *,
    cut_off: bool = False,
) -> Item:
    """An item of the service's contract. `gold` are equivalent answers, of which `math` takes any
    number and `choice` one letter. Raises ValueError."""
    found = Item(response=response)
    if cut_off:
        found.meta["finish"] = "length"
    if not gold:
        raise ValueError("gold: at least one answer, got none")
    if kind == "math":
        found.math.gold.extend(gold)
    elif kind == "choice":
        if len(gold) != 1:
            raise ValueError(f"gold: one letter where options are chosen, got {list(gold)!r}")
        found.choice.gold = gold[0]
        found.choice.options.extend(options)
    else:
        raise ValueError(f"kind: math or choice, got {kind!r}")
    return found


def verify(verifier: str, items: Sequence[Item]) -> list[Outcome]:
    """One outcome for each item, in order. Raises ServiceError, ServerFailed."""
    return [outcome(verdict) for verdict in client(verifier).verify(items)]


def outcome(verdict: Verdict) -> Outcome:
    """Pure."""
    status = Verdict.Status.Name(verdict.status)
    said = [f"{part.name}: {part.detail}" for part in verdict.parts if part.detail]
    if verdict.status != Verdict.Status.OK:
        return Outcome(None, verdict.extracted, f"{status}: {verdict.evidence.message}")
    return Outcome(verdict.reward, verdict.extracted, "; ".join(said))
