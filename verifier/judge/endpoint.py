"""One endpoint: a request and what became of it, its breaker, its rests, what it takes.

Invariants: an exchange ends within its timeout, however slowly bytes come; at most `ANSWER_BYTES`
of an answer are ever held; redirects are not followed, so a key goes nowhere but to its endpoint.

An extra parameter (protocol.Extra) that is refused is left out of the same question at once; when
that is what helped, and the refusal had named it or this is so time after time, it is left out from
then on, and the log says so once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2

from verifier import tracing
from verifier.judge import metrics, protocol
from verifier.judge.ask import Ask, Kind, Place
from verifier.judge.budget import Spend, spend
from verifier.judge.protocol import Packed, Reply
from verifier.judge.settings import EndpointSettings, JudgeSettings, SettingsError
from verifier.judge.traffic import Breaker

ANSWER_BYTES = 4 << 20
"""The log-probabilities of 1,000 tokens take 2 MiB; an answer alone takes kilobytes."""

WORKED_HERE = 65_536
"""Bytes packed or read on the event loop; more takes over a millisecond."""

KEEPALIVE_SECONDS = 2.0
"""An idle connection is used again for so long: servers close theirs after 5 or more, and a
request that is just being sent on one would fail."""

CONNECT_SECONDS = 10.0
"""An endpoint that does not take a connection for so long is not there."""

LONGEST_REST_SECONDS = 300.0
"""An endpoint is tried again after so long, whatever it asked for."""

KEY_CHARS = 8
"""A shorter key is none worth hiding, and would be found in any text."""

UNNAMED = 3
"""Refusals in a row that name nothing, and end when a parameter is left out: fewer may have passed
by themselves."""

_BAD_REQUEST = frozenset({400, 413, 422})
_BUSY = frozenset({408, 409, 425})

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Fault(Exception):
    """One attempt that brought no answer."""

    kind: Kind
    why: str
    endpoint: str = ""
    status: int | None = None
    good: bool | None = None
    """What it tells the breaker."""
    elsewhere: bool = False
    """Asking this endpoint again is no use."""
    final: bool = False
    """Asking any is none."""
    cut: bool = False
    """The deadline ended it."""
    used: Spend | None = None
    """What it cost; None where that is not known."""

    def __str__(self) -> str:
        return self.why


def http_client(concurrency: int, *urls: str) -> httpx2.AsyncClient:
    """For these endpoints together. The time of a whole exchange is limited there.

    Raises SettingsError for what is no URL.
    """
    for url in urls:
        try:
            httpx2.URL(url)
        except httpx2.InvalidURL as error:
            raise SettingsError(f"url: {url!r} is none: {error}") from error
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
        limits=httpx2.Limits(
            max_connections=None,
            max_keepalive_connections=concurrency,
            keepalive_expiry=KEEPALIVE_SECONDS,
        ),
        # A small compressed body could be a huge one.
        headers={"Accept-Encoding": "identity", "Content-Type": "application/json"},
        # What an endpoint sets would go to the others of its host, and pile up.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


def key_header(variable: str, url: str) -> dict[str, str]:
    """Bears the key in this environment variable; empty where none is named.

    Raises SettingsError.
    """
    key = os.environ.get(variable, "").strip() if variable else ""
    if variable and (not key or not key.isascii() or not key.isprintable()):
        raise SettingsError(
            f"api_key_env: {variable} is to hold the key of {url}, "
            f"got {'no text' if not key else 'one that no header can carry'}"
        )
    return {"Authorization": f"Bearer {key}"} if key else {}


async def post(
    http: httpx2.AsyncClient, url: str, path: str, request: bytes, headers: Mapping[str, str]
) -> tuple[int, float, bytes]:
    """Status, the rest asked for (s), and the body. Raises Fault, which names `url` alone.

    A key that an answer repeats, as some refusals do, is blotted out: bodies end in messages.
    """
    try:
        async with http.stream("POST", url + path, content=request, headers=headers) as answer:
            raw = bytearray()
            async for piece in answer.aiter_raw():
                raw += piece
                if len(raw) > ANSWER_BYTES:
                    why = f"an answer of more than {ANSWER_BYTES} bytes"
                    raise Fault("garbage", why, url, answer.status_code, good=False)
            asks_for = protocol.retry_after(answer.headers.get("Retry-After"))
            key = headers.get("Authorization", "").removeprefix("Bearer ").encode()
            told = raw.replace(key, b"[key]") if len(key) >= KEY_CHARS else raw
            return answer.status_code, asks_for, bytes(told)
    except httpx2.HTTPError as error:
        kind: Kind = "timeout" if isinstance(error, httpx2.TimeoutException) else "server"
        unsent = isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)
        why = f"{type(error).__name__}: {error}".rstrip(": ")
        raise Fault(kind, why, url, good=False, used=Spend() if unsent else None) from error


class Endpoint:
    """Raises SettingsError without its key in the environment."""

    def __init__(
        self, settings: EndpointSettings, judge: JudgeSettings, http: httpx2.AsyncClient
    ) -> None:
        self.settings = settings
        self.url, self.model = settings.url, settings.model
        self.place: Place = self.url, self.model
        self.breaker = Breaker(judge.breaker.failures, judge.breaker.cooldown_seconds)
        self._rests_until = 0.0
        self._timeout = judge.timeout_seconds
        self._structured = judge.structured
        self._takes = frozenset(protocol.Extra)
        self._helped = Counter[protocol.Extra]()
        self._http = http
        self._headers = key_header(settings.api_key_env, self.url)

    @property
    def rest(self) -> float:
        """Seconds that the endpoint asked to be left alone."""
        return max(0.0, self._rests_until - time.monotonic())

    async def exchange(
        self, packed: Packed, ask: Ask, turn: Callable[[], Awaitable[None]]
    ) -> tuple[Reply, Spend | None]:
        """An answer, and what it cost where that is known. Raises Fault.

        `turn` is awaited before a request is sent once more with fewer parameters.
        """
        began, outcome = time.monotonic(), "cancelled"
        try:
            with (
                tracing.span("judge", endpoint=self.url, model=self.model),
                metrics.IN_FLIGHT.labels(self.url).track_inprogress(),
            ):
                async with asyncio.timeout(self._timeout):
                    reply = await self._asked(packed, ask, turn)
            outcome = "ok"
        except TimeoutError as error:
            outcome = "timeout"
            why = f"no whole answer within {self._timeout:g} s"
            raise Fault("timeout", why, self.url, good=False) from error
        except Fault as fault:
            outcome = fault.kind
            raise
        finally:
            metrics.REQUESTS.labels(self.url, outcome).inc()
            metrics.LATENCY.labels(self.url).observe(time.monotonic() - began)
        return reply, self._spend(reply.usage)

    async def _asked(self, packed: Packed, ask: Ask, turn: Callable[[], Awaitable[None]]) -> Reply:
        wanted = extras = protocol.wanted(ask, self._structured) & self._takes
        named: frozenset[protocol.Extra] = frozenset()
        while True:
            request = protocol.body(packed, ask, self.model, extras)
            status, asks_for, raw = await post(
                self._http, self.url, "/chat/completions", request, self._headers
            )
            if status not in (400, 422) or not extras:
                break
            blamed = protocol.blamed(raw, extras)
            named |= blamed
            extras -= blamed or extras
            await turn()
        if status != httpx2.codes.OK:
            raise self._refusal(status, asks_for, raw)
        self._helped -= Counter(dict.fromkeys(extras, UNNAMED))
        for extra in (wanted - extras) & self._takes:
            self._helped[extra] += 1
            if extra in named or self._helped[extra] >= UNNAMED:
                log.warning("%s takes no %s; asked without from now on", self.url, extra.value)
                self._takes -= {extra}
        try:
            if len(raw) > WORKED_HERE:
                return await asyncio.to_thread(protocol.read, raw, ask.labels)
            return protocol.read(raw, ask.labels)
        except protocol.Unusable as error:
            used = self._spend(error.usage)
            if error.refused:
                fault = Fault("refused", str(error), self.url, status, good=True, elsewhere=True)
            else:
                fault = Fault("garbage", str(error), self.url, status, good=False)
            fault.used = used
            raise fault from error

    def _refusal(self, status: int, asks_for: float, raw: bytes) -> Fault:
        fault = Fault("refused", protocol.shown(raw), self.url, status, used=Spend())
        if status == httpx2.codes.TOO_MANY_REQUESTS:
            fault.kind = "rate_limited"
        elif status >= 500 or status in _BUSY:
            fault.kind, fault.good = "server", False
        elif status < 300:
            fault.kind, fault.good, fault.used = "garbage", False, None
        else:
            fault.elsewhere, fault.good = True, status in _BAD_REQUEST
        if status == httpx2.codes.GATEWAY_TIMEOUT:
            fault.used = None
        if asks_for and fault.kind in ("rate_limited", "server"):
            rest = min(asks_for, LONGEST_REST_SECONDS)
            self._rests_until = max(self._rests_until, time.monotonic() + rest)
        return fault

    def _spend(self, usage: tuple[int, int] | None) -> Spend | None:
        return None if usage is None else spend(self.settings, *usage)
