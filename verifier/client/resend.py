"""Which failures of a call are tried again, when, and for how long.

Verification is pure, so sending again is safe. What a dying server, a proxy that lost one, a full
server and a token whose quota is used up say is tried again; what another try cannot change is not.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import grpc

from verifier.v1.verifier_pb2 import Verdict

log = logging.getLogger(__name__)

RESEND_S = 120.0
"""Without any verdict, after a failure: a server that is started again, or moved to another machine
of a cluster, is back by then; a training step that fails costs more."""

DESCRIBE_S = 5.0
"""The same for `describe`, which is asked at starts, where an address may be wrong."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
"""Between tries that bring nothing, each twice the last; a server's own hint goes before."""

QUIET_S = 10.0
"""Between two log lines of one client's waiting."""

HINT = "grpc-retry-pushback-ms"

BROKEN_OFF = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL)
"""What gRPC makes of a lost connection, and of a stream that a proxy resets (CANCEL gives
CANCELLED, most other codes INTERNAL). Our service itself answers with the first of them only."""

NO_STATUS = "Stream removed"
"""gRPC's words, under UNKNOWN, for a stream that ended without a status."""

TOO_LARGE = "larger than max"
"""gRPC's words, under RESOURCE_EXHAUSTED, for a message over a size limit."""

ADVICE = {grpc.StatusCode.UNAUTHENTICATED: "a token is given as token=, or in TOUCHSTONE_TOKEN"}
"""What a caller can do about it, which a server that speaks to all clients cannot say."""


class ServiceError(Exception):
    """A call failed as a whole. Can be pickled.

    `verdicts` has those that came before, by place.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        details: str,
        verdicts: dict[int, Verdict],
        items: int,
        note: str = "",
    ) -> None:
        self.code = code
        self.details = details
        self.verdicts = verdicts
        self._items, self._note = items, note
        notes = [f"{len(verdicts)} of {items} verdicts came before"] if items else []
        said = "; ".join([*notes, note] if note else notes)
        super().__init__(f"{code.name}: {details}" + (f" ({said})" if said else ""))

    def __reduce__(
        self,
    ) -> tuple[type[ServiceError], tuple[grpc.StatusCode, str, dict[int, Verdict], int, str]]:
        told = (self.code, self.details, self.verdicts, self._items, self._note)
        return ServiceError, told


class Notices:
    """What a client logs of a service that is away, whatever the number of its calls that wait."""

    def __init__(self, address: str) -> None:
        self._address, self._told = address, -QUIET_S

    def away(self, error: grpc.RpcError) -> None:
        now = time.monotonic()
        if now >= self._told + QUIET_S:
            self._told = now
            full = error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            state = f"{'full' if full else 'away'} ({error.code().name}: {error.details()})"
            log.warning("the service %s is %s; what it owes is sent again", self._address, state)


class Patience:
    """How long one stream of items goes on without a verdict; its calls share it.

    `seconds` count from the first failure after the last verdict; 0: nothing is sent again.
    """

    def __init__(self, notices: Notices, seconds: float) -> None:
        self._notices, self._seconds = notices, seconds
        self._since: float | None = None
        self._pause, self._grown = 0.0, 0.0

    def came(self) -> None:
        """A verdict."""
        self._since, self._pause = None, 0.0

    def left(self, deadline_s: float | None = None) -> float:
        """Seconds, within those to a deadline."""
        away = 0.0 if self._since is None else time.monotonic() - self._since
        left = self._seconds - away
        return left if deadline_s is None else min(left, deadline_s)

    def pause(self, error: grpc.RpcError, deadline_s: float | None) -> float | None:
        """The seconds until a failed call is sent again; None: it is not."""
        hint = _hint(error)
        if not self._seconds or not _passes(error, hint):
            return None
        now = time.monotonic()
        if self._since is None:
            self._since = now
        if now >= self._grown + self._pause:  # else it is another call of the same try
            self._pause = min(max(FIRST_PAUSE_S, 2 * self._pause), LONGEST_PAUSE_S)
            self._grown = now
        left = self.left(deadline_s)
        pause = self._pause if hint is None else hint
        if left <= 0 or (hint is not None and hint > left):
            return None
        self._notices.away(error)
        return min(pause, left)

    def error(self, error: grpc.RpcError, came: dict[int, Verdict], items: int) -> ServiceError:
        """What a caller gets in the end."""
        note = ADVICE.get(error.code(), "")
        if self._since is not None:
            away = time.monotonic() - self._since
            note = f"sent again for {away:.1f} s, resend_s = {self._seconds:g}"
        return ServiceError(error.code(), error.details() or "", came, items, note)


def _passes(error: grpc.RpcError, hint: float | None) -> bool:
    """Whether another try may go better."""
    code, details = error.code(), error.details() or ""
    if code == grpc.StatusCode.RESOURCE_EXHAUSTED:
        return TOO_LARGE not in details and (hint is None or hint >= 0)
    return code in BROKEN_OFF or (code == grpc.StatusCode.UNKNOWN and details.startswith(NO_STATUS))


def _hint(error: grpc.RpcError) -> float | None:
    """When a refused call may come again, seconds from now; below 0: never; None: nothing said."""
    told: Any = error.trailing_metadata() or ()
    for key, value in told:
        if key == HINT:
            try:
                return int(value) / 1000
            except ValueError:  # gRPC's own retries take such a hint for "never"
                return -1.0
    return None
