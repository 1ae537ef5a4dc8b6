"""What gRPC needs of callers: the name in a client's certificate, and a gate before all calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

import grpc

from verifier import metrics
from verifier.callers import Callers, Refused

OPEN = ("/grpc.health.v1.Health/", "/grpc.reflection.v1alpha.ServerReflection/")
"""Services for everybody: they tell whether the server is there, and the contract's names."""

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")


def certified(connection: Mapping[str, Iterable[bytes]]) -> str | None:
    """The name in the certificate that a client showed, from its call's `auth_context()`: the
    common name, else the first alternative one; empty if it has none, None without a certificate.
    """
    if "x509_pem_cert" not in connection:
        return None
    for kind in ("x509_common_name", "x509_subject_alternative_name"):
        for name in connection.get(kind, ()):
            if name:  # a certificate without a common name has an empty one here
                return name.decode(errors="replace")
    return ""


class Gate(grpc.aio.ServerInterceptor):
    """Refuses calls without a good token before any byte of their messages is read.

    The service asks again who a call is from, as it needs the answer; this makes sure that no
    method forgets to, and that strangers cannot fill the memory.
    """

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Asked, Answered] | None]
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Asked, Answered] | None:
        details = handler_call_details
        if not details.method.startswith(OPEN):
            given = details.invocation_metadata or ()
            try:
                self._callers.authenticate({k: v for k, v in given if isinstance(v, str)})
            except Refused as refused:
                metrics.REFUSED.labels(refused.code.lower()).inc()
                return _refusal(refused)
        return await continuation(details)


def _refusal(refused: Refused) -> grpc.RpcMethodHandler[Any, Any]:
    async def end(requests: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        await context.abort(grpc.StatusCode[refused.code], str(refused))

    # Of all kinds the one that reads no message unless it is asked to.
    return grpc.stream_stream_rpc_method_handler(end)
