"""Traces of verdicts: what sandbox/tracing.py offers, and what is known of items.

    the client's span -> the call -> queue, verify -> slot, judge

`inject` and `attached` carry what a span and a log line are about into another process of this
server. The carrier is ours: what a client sends is read by `calls`, and traces alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from sandbox import tracing
from sandbox.tracing import SHARE, TEXT_CHARS, CannotTrace, calls, note, on, past, span, start
from verifier import logs
from verifier.v1 import verifier_pb2 as pb

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = [
    "SHARE",
    "CannotTrace",
    "at_once",
    "attached",
    "calls",
    "inject",
    "note",
    "on",
    "past",
    "requests",
    "span",
    "start",
    "told",
]

_NOTHING: AbstractContextManager[None] = nullcontext()


def inject() -> dict[str, str]:
    """What the current work is about, as a carrier; empty where nothing is known."""
    return tracing.inject() | logs.carried()


def attached(carrier: Mapping[str, str]) -> AbstractContextManager[None]:
    """A `with` block whose spans and log lines are about what `inject` put into the carrier."""
    return _attached(carrier) if carrier else _NOTHING


@contextmanager
def _attached(carrier: Mapping[str, str]) -> Iterator[None]:
    with logs.carried_on(carrier), tracing.attached(carrier):
        yield


def told(verdict: pb.Verdict) -> None:
    """Says what became of an item, in the current span."""
    if tracing.recording():
        note(**_known(verdict))


def at_once(verdict: pb.Verdict, seconds: float, carrier: Mapping[str, str]) -> None:
    """The spans of an item that waited for its turn only, and took so many seconds until now."""
    if not tracing.sampled(carrier):
        return
    with tracing.attached(carrier):
        past("queue", verdict.timing.queued_ms / 1000, seconds)
        past("verify", seconds, attributes=_known(verdict))


def requests(app: ASGIApp) -> ASGIApp:
    """A span around every HTTP request of an application, below the client's where it brings one;
    the application itself where nothing is traced."""
    if not tracing.on():
        return app

    async def traced(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        carrier = {
            key.decode("latin-1"): value.decode("latin-1")
            for key, value in scope["headers"]
            if key in (b"traceparent", b"tracestate")
        }
        method, path = scope["method"], scope["path"][:TEXT_CHARS]
        attributes = {"http.request.method": method, "url.path": path}
        made = tracing.entered(method, carrier, attributes)
        try:
            await app(scope, receive, send)
        finally:
            if made is not None:
                made.end()

    return traced


def _known(verdict: pb.Verdict) -> dict[str, tracing.Attribute]:
    known: dict[str, tracing.Attribute] = {
        "item.id": verdict.id[:TEXT_CHARS],
        "item.task": verdict.provenance.verifier,
        "verdict.status": pb.Verdict.Status.Name(verdict.status),
        "verdict.cache_hit": verdict.provenance.cache_hit,
        "verdict.queued_ms": verdict.timing.queued_ms,
    }
    for part in verdict.parts:
        if part.name == "accuracy":
            known["verdict.reason"] = pb.Part.Reason.Name(part.reason)
    if verdict.HasField("reward"):
        known["verdict.reward"] = verdict.reward
    if verdict.evidence.message:
        known["verdict.message"] = verdict.evidence.message[:TEXT_CHARS]
    return known
