"""Who asks: the name under which the service shares itself out, and what it may take.

A caller is known by its bearer token where the server has tokens, else by the name in its
certificate where the server asks for one, else by what it calls itself (`touchstone-client`), else
by its connection. Names that a client chooses are kept here only while its call is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from verifier.security.names import WANTED, is_name
from verifier.security.quota import Quota

if TYPE_CHECKING:
    from verifier.security.tokens import Grant, Tokens

AUTHORIZATION = "authorization"
CLIENT = "touchstone-client"
PRIORITY = "touchstone-priority"
SCHEME = "bearer"


class Priority(IntEnum):
    """The value is the weight: of work that waits, each is given turns in this proportion."""

    low = 1
    normal = 8
    high = 64


@dataclass(frozen=True)
class Caller:
    """One client, over all its connections."""

    name: str
    priority: Priority = Priority.normal
    items_in_flight: int | None = None
    """Its own bound below the server's; None: the server's alone."""


NEVER = -1.0
"""Seconds after which what can never be let in may come again, as gRPC says it."""


class Refused(Exception):
    """The call is not let in. `code` is a name of grpc.StatusCode: UNAUTHENTICATED,
    PERMISSION_DENIED, INVALID_ARGUMENT, UNAVAILABLE or RESOURCE_EXHAUSTED; with the last of them
    `retry_seconds` says when it may come again, or NEVER."""

    def __init__(self, code: str, message: str, retry_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.code, self.retry_seconds = code, retry_seconds


class Callers:
    """Tells who asks from a call's metadata (lower-case names) and its peer, and counts what each
    takes. Without tokens everybody is let in, with any priority."""

    def __init__(self, tokens: Tokens | None = None) -> None:
        self._tokens = tokens
        self._quotas: dict[str, Quota] = {}
        self.replace(tokens)

    def replace(self, tokens: Tokens | None) -> None:
        """Other tokens from now on. A quota that is the same stays as far used up as it is."""
        self._tokens = tokens
        now = time.monotonic()
        quotas = {}
        for grant in tokens.grants if tokens else ():
            if grant.items_per_minute is not None:
                old = self._quotas.get(grant.name)
                same = old is not None and old.per_minute == grant.items_per_minute
                new = old if same else None
                quotas[grant.name] = new or Quota(grant.items_per_minute, now)
        self._quotas = quotas

    def authenticate(self, metadata: Mapping[str, str]) -> Grant | None:
        """Whose token is shown, None where there are no tokens. Raises Refused."""
        if self._tokens is None:
            return None
        wanted = f"{AUTHORIZATION}: 'Bearer' and a token are wanted, got "
        given = metadata.get(AUTHORIZATION)
        if given is None:
            raise Refused("UNAUTHENTICATED", wanted + "nothing")
        scheme, _, token = given.partition(" ")
        if scheme.lower() != SCHEME:
            raise Refused("UNAUTHENTICATED", wanted + "something else")
        grant = self._tokens.of(token.strip())
        if grant is None:
            raise Refused("UNAUTHENTICATED", f"{AUTHORIZATION}: no such token here")
        return grant

    def identify(
        self, metadata: Mapping[str, str], peer: str, certified: str | None = None
    ) -> Caller:
        """Who this is. `certified` is the name in the certificate that the client had to show, None
        where none is asked for. Raises Refused."""
        grant = self.authenticate(metadata)
        called = metadata.get(CLIENT, "")
        if called and not is_name(called):
            raise Refused("INVALID_ARGUMENT", f"{CLIENT}: {WANTED}, got {_shown(called)}")
        priority = _priority(metadata.get(PRIORITY, Priority.normal.name))
        if grant is not None:
            return grant.caller(priority)
        if certified is None:
            return Caller(called or peer, priority)
        if not is_name(certified):
            message = f"certificate: a common name of {WANTED}, got {_shown(certified)}"
            raise Refused("PERMISSION_DENIED", message)
        return Caller(certified, priority)

    def charge(self, caller: Caller, items: int) -> None:
        """Counts items that are about to be admitted. Raises Refused when the caller's quota is
        used up."""
        quota = self._quotas.get(caller.name)
        wait = 0.0 if quota is None else quota.take(items, time.monotonic())
        if quota is not None and wait:
            message = f"items_per_minute of {caller.name!r}: at most {quota.per_minute}, "
            raise Refused("RESOURCE_EXHAUSTED", f"{message}{items} more came", wait)


def _priority(asked: str) -> Priority:
    if asked not in Priority.__members__:
        known = ", ".join(Priority.__members__)
        raise Refused("INVALID_ARGUMENT", f"{PRIORITY}: one of {known}, got {_shown(asked)}")
    return Priority[asked]


def _shown(text: str) -> str:
    """The beginning, fit for a log."""
    cut = 40
    return ascii(text) if len(text) <= cut else f"{text[:cut]!a}... of {len(text)} characters"
