"""What one replica is: an engine with a sandbox and math workers of its own, behind Ray's calls.

The service is that of `touchstone serve` (verifier/service.py): the same callers, admission,
schedule and refusals. Ray calls the methods by their names in the contract.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, aclosing
from typing import Any, NoReturn

import grpc

from sandbox import tracing
from verifier import logs
from verifier.assembly import settle, start_desk
from verifier.ray.refusal import Refusal
from verifier.service import VerifierService
from verifier.settings import Settings
from verifier.v1 import verifier_pb2 as pb

log = logging.getLogger("touchstone.ray")


class Serialised(bytes):
    """A message as Ray wants it: it asks for the bytes, which the service has already."""

    def SerializeToString(self) -> bytes:
        return bytes(self)


class Replica:
    """The class that Ray deploys; once started it is ready. Calls get Ray's context."""

    async def __init__(self, settings: Settings) -> None:  # type: ignore[misc]  # Ray awaits it
        logs.configure(settings.log_level.upper(), settings.log_format)
        async with AsyncExitStack() as stack:
            self._service = VerifierService(await start_desk(settings, stack))
            self._stack = stack.pop_all()
        settle()

    async def __del__(self) -> None:
        """Ends what was started. Ray awaits it, once, when no call is at work any more."""
        await self._stack.aclose()

    async def Verify(self, raw: bytes, grpc_context: Any) -> Serialised:
        async with _Call("Verify", grpc_context) as call:
            return Serialised(await self._service.verify(raw, call))

    async def VerifyBatch(self, raw: bytes, grpc_context: Any) -> AsyncIterator[Serialised]:
        async with (
            _Call("VerifyBatch", grpc_context) as call,
            _closing(self._service.verify_batch(raw, call)) as messages,
        ):
            async for message in messages:
                yield Serialised(message)

    async def VerifyStream(
        self, batches: AsyncIterator[bytes], grpc_context: Any
    ) -> AsyncIterator[Serialised]:
        async with (
            _Call("VerifyStream", grpc_context) as call,
            _closing(self._service.verify_stream(batches, call)) as messages,
        ):
            async for message in messages:
                yield Serialised(message)

    async def Describe(self, raw: bytes, grpc_context: Any) -> pb.DescribeResponse:
        async with _Call("Describe", grpc_context) as call:
            return await self._service.describe(raw, call)


def _closing(messages: Any) -> aclosing[Any]:
    """Ends the generator with the call; the service declares it as an iterator."""
    return aclosing(messages)


class _Ended(Exception):
    """The service has ended the call; the code is in Ray's context."""


class _Call:
    """A call as the service knows it: the part of grpc.aio.ServicerContext that it uses.

    A defect ends it with UNKNOWN, as gRPC has it: INTERNAL is Ray's word for a dead replica.
    """

    def __init__(self, method: str, theirs: Any) -> None:
        self._method, self._theirs = method, theirs
        self._span: Any = None

    async def __aenter__(self) -> Any:
        if tracing.on():
            carrier = dict(self.invocation_metadata())
            self._span = tracing.entered(self._method, carrier, {"rpc.method": self._method})
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, _Ended):
            log.error("%s", self._method, exc_info=error)
            self._end(grpc.StatusCode.UNKNOWN, f"{type(error).__name__}: {error}", ())
        if self._span is not None:
            self._span.end()

    async def abort(
        self,
        code: grpc.StatusCode,
        details: str = "",
        trailing_metadata: Iterable[tuple[str, str]] = (),
    ) -> NoReturn:
        self._end(code, details, trailing_metadata)
        raise _Ended(f"{code.name}: {details}")

    def _end(
        self, code: grpc.StatusCode, details: str, trailing: Iterable[tuple[str, str]]
    ) -> None:
        self._theirs.set_code(code)
        self._theirs.set_details(Refusal(details, tuple(trailing)).text())

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return tuple(self._theirs.invocation_metadata())

    def peer(self) -> str:
        return str(self._theirs.peer())

    def peer_identities(self) -> Any:
        return self._theirs.peer_identities()

    def auth_context(self) -> Any:
        return self._theirs.auth_context()
