"""What the front says: errors as JSON, values cut to what a message can hold."""

from __future__ import annotations

import reprlib

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

RETRY = {"Retry-After": "1"}
"""Seconds: places come free as soon as verdicts are delivered."""

STOPPING = "server: it is stopping"


def shown(value: object) -> str:
    """A received value as a message shows it."""
    return sound(reprlib.repr(value))


def sound(text: str) -> str:
    """Without halves of surrogate pairs, which JSON can spell and no output can hold."""
    return text.encode(errors="replace").decode()


def told(request: Request, error: Exception) -> JSONResponse:
    """An error that the front raised, or the framework, as JSON."""
    assert isinstance(error, HTTPException)
    message = error.detail
    if error.status_code == 404:
        message = f"path: no such path, got {shown(request.url.path)}"
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        message = f"method: {allowed} is wanted, got {shown(request.method)}"
    return JSONResponse({"error": sound(message)}, error.status_code, headers=error.headers)


def defect(request: Request, error: Exception) -> JSONResponse:
    """A defect of ours; the log has the trace."""
    return JSONResponse({"error": f"internal: {type(error).__name__}"}, 500)
