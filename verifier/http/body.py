"""Reads JSON bodies within the service's limits.

Invariants: a body is refused before more of it is read than is allowed; all bodies that are being
read are bounded together; a body that comes too slowly is given up.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from verifier.admission import Places
from verifier.engine import LONG_TEXT
from verifier.http.words import RETRY, shown

BODIES = 2
"""Bodies of the largest size that may be held at once, over all clients: 512 MiB by default."""

BODY_SECONDS = 30.0
"""What a body may take, beside the time that its bytes have at SLOWEST."""

SLOWEST = 64 * 1024
"""Bytes a second below which a sender is given up."""

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class Bodies:
    """The bodies of all requests of a server; `most` bytes each."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = Places(BODIES * most)

    async def read(self, request: Request, parse: Callable[[bytes], T]) -> T:
        """What `parse` makes of the request's body, in a thread where that takes long.

        Raises HTTPException: 408, 413, 415 and 503 here, and what `parse` raises.
        """
        _check_headers(request)
        raw = await self._received(request)
        try:
            if len(raw) > LONG_TEXT:
                return await asyncio.to_thread(parse, raw)
            return parse(raw)
        finally:
            self._held.give_back(len(raw))

    async def _received(self, request: Request) -> bytes:
        told = request.headers.get("content-length", "0")
        if int(told) > self._most:  # the protocol has seen that it is a number
            raise HTTPException(413, f"body: at most {self._most} bytes, got {told}")
        began = asyncio.get_running_loop().time()
        parts: list[bytes] = []
        size, taken = 0, 0
        chunks = request.stream()
        try:
            while True:
                async with asyncio.timeout_at(began + BODY_SECONDS + size / SLOWEST):
                    chunk = await anext(chunks, None)
                if chunk is None:
                    taken, size = 0, 0
                    return b"".join(parts)
                size += len(chunk)
                if size > self._most:
                    raise HTTPException(413, f"body: at most {self._most} bytes, got more")
                if not self._held.try_take(len(chunk)):
                    message = f"bodies: at most {self._held.most} bytes of all clients at once"
                    raise HTTPException(503, f"{message}, got {len(chunk)} more", RETRY)
                taken += len(chunk)
                parts.append(chunk)
        except TimeoutError:
            limit = f"{BODY_SECONDS:g} s and 1 s for each {SLOWEST} bytes"
            message = f"body: {limit}, got {size} bytes in that time"
            raise HTTPException(408, message, {"Connection": "close"}) from None
        except ClientDisconnect:
            raise HTTPException(400, f"body: cut off after {size} bytes") from None
        finally:
            self._held.give_back(taken)


def _check_headers(request: Request) -> None:
    # A page in a browser can send other types to any address without asking, but not this one.
    given = request.headers.get("content-type", "")
    kind, _, options = given.partition(";")
    charset = options.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != "application/json" or charset not in ("", "utf-8"):
        wanted = "application/json in UTF-8 is wanted"
        raise HTTPException(415, f"content-type: {wanted}, got {shown(given) if given else 'none'}")
    coding = request.headers.get("content-encoding", "identity")
    if coding.lower() != "identity":
        raise HTTPException(415, f"content-encoding: none is understood, got {shown(coding)}")


def load(raw: bytes) -> Any:
    """The value of a JSON text, strictly: in UTF-8, no key twice, no NaN. Raises HTTPException."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise HTTPException(400, f"body: not UTF-8 at byte {error.start} of {len(raw)}") from None
    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=_no_constant)
    except RecursionError:
        raise HTTPException(400, "body: not JSON: nested too deep") from None
    except ValueError as error:
        raise HTTPException(400, f"body: not JSON: {error}, got {len(raw)} bytes") from None


_HALF = re.compile(rb"\\u[dD][89a-fA-F]")


def load_sound(raw: bytes) -> Any:
    """As `load`, and no text has half of a surrogate pair, which no program or file can hold."""
    value = load(raw)
    if _HALF.search(raw):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            half = f"\\u{ord(error.object[error.start]):04x}"
            message = f"body: pairs of surrogates only, got {half} alone"
            raise HTTPException(400, message) from None
    return value


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of a JSON text, for json's `object_pairs_hook`. Raises HTTPException."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise HTTPException(400, f"body: each key once in an object, got {shown(name)} twice")
        found[name] = value
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def model(kind: type[M]) -> Callable[[bytes], M]:
    """A parser of bodies of this kind. Raises HTTPException naming the first bad field."""

    def parse(raw: bytes) -> M:
        value = load_sound(raw)
        try:
            return kind.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "body"
            message = f"{place}: {first['msg']}, got {shown(first['input'])}"
            raise HTTPException(400, message) from None

    return parse
