"""The service's methods in Ray Serve's gRPC proxies.

Ray's proxies are told of it by the import path in FUNCTION; Ray's routing, queues and replicas do
the work. What is added around each call, in the proxy's process:

- strangers are turned away before a byte of their messages is read: Ray listens on every address
  and in plaintext, so calls from other machines are let in where that was asked for, or through a
  port with TLS that is added here;
- requests stay bytes, so that an unreadable item does not lose its batch (verifier/wire.py);
- calls are for this application, whatever else the cluster serves;
- a replica that died is UNAVAILABLE (Ray says INTERNAL), which a client sends again; a refusal
  says when to come again;
- a call that ends early is cancelled in its replica, also while its client reads nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import grpc

from verifier.callers import Callers, Refused
from verifier.ray.refusal import PUSHBACK, Refusal
from verifier.security import tls, tokens
from verifier.v1 import verifier_pb2 as pb

FUNCTION = "verifier.ray.ingress.add_to_proxy"
"""For Ray's `grpc_servicer_functions`."""

APPLICATION = "touchstone"
"""The name of the Serve application."""

VARIABLE = "TOUCHSTONE_RAY_INGRESS"
"""In the environment of the proxies: the fields of `Ingress` as JSON."""

SERVICE = pb.DESCRIPTOR.services_by_name["Verifier"]

RAYS_OWN = frozenset({"application", "multiplexed_model_id", "session_id", "request_id"})
"""Metadata by which a client could steer Ray's routing."""

FULL_MS = 1_000
"""When to come again after Ray's own queue was full: about as long as a batch of rules takes."""


@dataclass(frozen=True)
class Ingress:
    """Who is let in. Files are read on every node that has a proxy."""

    insecure: bool = False
    """Calls in plaintext from other machines are answered."""

    tls_listen: str = ""
    """host:port with TLS; empty: none."""

    tls_certificate: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    """PEM files; the last one: of whoever must have signed a client's certificate."""

    tokens: str = ""
    """TOML file of the callers (docs/security.md); empty: everybody may ask."""

    def environment(self) -> dict[str, str]:
        return {VARIABLE: json.dumps(asdict(self))}

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Ingress:
        """Raises ValueError at what is no such setting."""
        text = environment.get(VARIABLE, "{}")
        try:
            return cls(**json.loads(text))
        except (TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"{VARIABLE}: {error}, got {text!r}") from error


def add_to_proxy(servicer: object, server: grpc.aio.Server) -> None:
    """Called by Ray in each proxy; the server puts Ray's routing behind the methods."""
    settings = Ingress.read(os.environ)
    files = tls.files_of(
        *(
            Path(file) if file else None
            for file in (settings.tls_certificate, settings.tls_key, settings.tls_client_ca)
        )
    )
    if settings.tls_listen and files is not None:
        server.add_secure_port(settings.tls_listen, tls.Certificates(files).credentials())
    known = tokens.load(Path(settings.tokens)) if settings.tokens else None
    server.add_generic_rpc_handlers((_Methods(settings.insecure, Callers(known)),))


class _Methods(grpc.GenericRpcHandler):
    """The methods by name; Ray exchanges those in `_method_handlers` for its own."""

    def __init__(self, insecure: bool, callers: Callers) -> None:
        self._insecure, self._callers = insecure, callers
        self._method_handlers: dict[str, Any] = {}
        for method in SERVICE.methods:
            # Without a deserializer: a request's bytes go to the replica as they are.
            handler: Any = grpc.stream_stream_rpc_method_handler(_not_routed)
            handler = handler._replace(
                request_streaming=method.client_streaming,
                response_streaming=method.server_streaming,
            )
            self._method_handlers[f"/{SERVICE.full_name}/{method.name}"] = handler

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        ray = self._method_handlers.get(details.method)
        if ray is None:
            return None

        async def call(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
            await self._let_in(context)
            routed = _Routed(context)
            if ray.request_streaming:
                messages = _pumped(ray.stream_stream(requests, routed))
            else:
                messages = _pumped(_answers(ray, await _only(requests, context), routed))
            async with aclosing(messages):
                async for message in messages:
                    yield message
            if routed.failed:
                await _end(context, routed)

        # Of all kinds the one that reads no message unless asked to; on the wire they are the same.
        return grpc.stream_stream_rpc_method_handler(call)

    async def _let_in(self, context: Any) -> None:
        protected = b"ssl" in context.auth_context().get("transport_security_type", ())
        if not (self._insecure or protected or is_loopback(context.peer())):
            await context.abort(
                grpc.StatusCode.PERMISSION_DENIED,
                "listen: calls from other machines need TLS, or a service started with --insecure",
            )
        given = context.invocation_metadata() or ()
        try:
            self._callers.authenticate({k: v for k, v in given if isinstance(v, str)})
        except Refused as refused:
            await context.abort(grpc.StatusCode[refused.code], str(refused))


def _not_routed(request: object, context: object) -> Any:
    raise RuntimeError("Ray Serve did not put its routing in this place")


async def _only(requests: AsyncIterator[bytes], context: Any) -> bytes:
    async for request in requests:
        return request
    await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "a call without a message")
    raise AssertionError("abort raises")


async def _answers(ray: Any, request: bytes, context: _Routed) -> AsyncIterator[bytes]:
    """The messages with which Ray answers one request: of a failed unary call, none."""
    if not ray.response_streaming:
        reply = await ray.unary_unary(request, context)
        if not context.failed:
            yield reply
        return
    async for message in ray.unary_stream(request, context):
        yield message


async def _pumped(messages: AsyncIterator[bytes]) -> Any:
    """The same messages, asked for in a task of its own.

    Ray passes a call's end on to the replica only if it comes while Ray waits for the replica; a
    call that ends while a message is on its way to a slow client would go on there. What is held
    here is held by Ray otherwise: its replicas do not wait for the reader either.
    """
    came: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def pump() -> None:
        try:
            async for message in messages:
                came.put_nowait(message)
        finally:
            came.put_nowait(None)

    pumping = asyncio.create_task(pump())
    try:
        while (message := await came.get()) is not None:
            yield message
        await pumping
    finally:
        pumping.cancel()
        await asyncio.gather(pumping, return_exceptions=True)


class _Routed:
    """A call's context as Ray sees it: always for our application.

    It holds nothing of gRPC's: Ray may still write its log of a call that its client has ended,
    and gRPC's own context, asked for the peer then, ends the process.
    """

    def __init__(self, context: Any) -> None:
        theirs = context.invocation_metadata() or ()
        kept = ((key, value) for key, value in theirs if key not in RAYS_OWN)
        self._metadata = (*kept, ("application", APPLICATION))
        self._peer = context.peer()
        self._identities = context.peer_identities(), context.peer_identity_key()
        self._auth = context.auth_context()
        self._code: Any = None
        self._details = ""
        self._trailing: tuple[Any, ...] = ()

    def invocation_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        return self._metadata

    def peer(self) -> str:
        return str(self._peer)

    def peer_identities(self) -> Any:
        return self._identities[0]

    def peer_identity_key(self) -> Any:
        return self._identities[1]

    def auth_context(self) -> Any:
        return self._auth

    def code(self) -> Any:
        return self._code

    def details(self) -> str:
        return self._details

    def trailing_metadata(self) -> tuple[Any, ...]:
        return self._trailing

    def set_code(self, code: grpc.StatusCode) -> None:
        self._code = code

    def set_details(self, details: str) -> None:
        self._details = details

    def set_trailing_metadata(self, trailing: tuple[Any, ...]) -> None:
        self._trailing = trailing

    def set_compression(self, compression: grpc.Compression) -> None:
        """What the channel has agreed on stays."""

    @property
    def failed(self) -> bool:
        return self._code not in (None, grpc.StatusCode.OK)


def is_loopback(peer: str) -> bool:
    """Whether a gRPC peer ("ipv4:127.0.0.1:5", "ipv6:[::1]:5", "unix:...") is this machine."""
    kind, _, rest = unquote(peer).partition(":")
    host = rest.rpartition(":")[0].strip("[]").removeprefix("::ffff:")
    return kind == "unix" or host.startswith("127.") or host == "::1"


async def _end(context: Any, routed: _Routed) -> None:
    """Ends a call that failed, and puts right what Ray says about it."""
    code, details = routed.code(), routed.details()
    if code == grpc.StatusCode.INTERNAL:
        # The replica says UNKNOWN of a defect of its own, so this is Ray's word on a dead one.
        first = details.partition("\n")[0]
        await context.abort(grpc.StatusCode.UNAVAILABLE, f"the replica is gone: {first}")
    if code == grpc.StatusCode.NOT_FOUND:
        # Every call is for our application: this proxy does not know it yet, or no longer.
        await context.abort(grpc.StatusCode.UNAVAILABLE, details)
    refusal = Refusal.read(details)
    trailing = refusal.trailing
    if code == grpc.StatusCode.RESOURCE_EXHAUSTED and not trailing:
        trailing = ((PUSHBACK, str(FULL_MS)),)
    await context.abort(code, refusal.details, trailing)
