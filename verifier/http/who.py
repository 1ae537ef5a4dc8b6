"""Who sends a request, and how a refusal is told. Health checks are asked nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from verifier.callers import Caller, Refused
from verifier.desk import Desk
from verifier.http.words import told

OPEN = ("/healthz", "/readyz")

CALLER = "caller"
"""In a request's scope."""

CERTIFIED = "certified"
"""In the state of a connection that showed a certificate: the name in it."""

STATUS = {
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "INVALID_ARGUMENT": 400,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
}


class Door:
    """Finds out who asks, or answers that they are not let in, before a body is read."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app, self._desk = app, desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] not in OPEN:
            headers = Headers(scope=scope)
            said = dict(headers)
            # Many connections of one machine are mostly the pool of one client.
            machine = scope["client"][0] if scope["client"] else "unix"
            certified = scope.get("state", {}).get(CERTIFIED)
            try:
                scope[CALLER] = self._desk.identify(said, f"http:{machine}", certified)
            except Refused as refused:
                await told(Request(scope), refusal(refused))(scope, receive, send)
                return
        await self._app(scope, receive, send)


def name_in(certificate: Mapping[str, Any]) -> str:
    """The common name in a client's certificate, as ssl shows it, else its first alternative name;
    empty if it has none."""
    for part in certificate.get("subject", ()):
        for kind, name in part:
            if kind == "commonName":
                return str(name)
    return next((str(name) for _, name in certificate.get("subjectAltName", ())), "")


def caller_of(request: Request) -> Caller:
    """The caller that the door has let in."""
    caller = request.scope[CALLER]
    assert isinstance(caller, Caller)
    return caller


def refusal(refused: Refused) -> HTTPException:
    """A refusal as an answer, with the time to come again where there is one."""
    headers = {}
    if refused.retry_seconds > 0:
        headers["Retry-After"] = str(math.ceil(refused.retry_seconds))
    if refused.code == "UNAUTHENTICATED":
        headers["WWW-Authenticate"] = 'Bearer realm="touchstone"'
    return HTTPException(STATUS[refused.code], str(refused), headers)
