"""Traces for OpenTelemetry, from a call to the slot that ran its program.

Off until `start`; then spans go to a collector over OTLP. `verifier` has these functions from
here, since a sandbox is traced where it runs.

Invariants: off, a span costs the making of its arguments; under a parent that is not sampled none
is made; a collector that is slow or away costs spans, never a verdict; the end waits for it
SHUTDOWN_SECONDS at most.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, aclosing, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import grpc

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

QUEUED_SPANS = 32_768
"""Spans that wait to be sent, some 2 KiB each; further ones are dropped. Two of the largest
batches."""

SEND_SECONDS = 1.0
"""How long spans are gathered before they are sent."""

EXPORT_SECONDS = 5.0
"""What a collector may take for one message."""

SHUTDOWN_SECONDS = 2.0
"""What it may take for the last ones, when the server stops."""

SHARE = 0.01
"""Of calls that bring no trace of their own: at thousands of items a second enough to see."""

TEXT_CHARS = 200
"""What an attribute keeps of a text of a client's."""

CARRIED = ("traceparent", "tracestate")

Attribute = str | bool | int | float


class CannotTrace(Exception):
    """Traces are asked for and cannot be had; the message says why."""


class _Off:
    """What `span` gives where nothing is recorded."""

    def set_attribute(self, key: str, value: Attribute) -> None:
        """Nothing is kept."""


_OFF = nullcontext(_Off())
_tracer: Tracer | None = None


def start(
    collector: str | None, share: float = SHARE, service: str = "touchstone"
) -> Callable[[], None]:
    """Sends spans to `collector` ("http://host:4317", or https; None: nowhere) from now on;
    returns what ends it.

    `share`, 0 to 1, is of calls that bring no trace; those that do are traced where their sender
    says so. Raises CannotTrace without OpenTelemetry and for what is no such address.
    """
    global _tracer
    if collector is None:
        return lambda: None
    address = urlsplit(collector)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise CannotTrace(f"http://host:port or https://host:port, got {collector!r}")
    if _tracer is not None:
        raise CannotTrace("traces are sent already in this process")
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    except ImportError as missing:
        how = 'from a checkout: pip install ".[otel]"'
        raise CannotTrace(f"{missing.name} is missing; {how}") from missing
    exporter = OTLPSpanExporter(endpoint=collector, timeout=EXPORT_SECONDS)
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(share)),
        resource=Resource.create({"service.name": service, "process.pid": os.getpid()}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(
        BatchSpanProcessor(
            exporter,
            max_queue_size=QUEUED_SPANS,
            schedule_delay_millis=1000 * SEND_SECONDS,
        )
    )
    # Of a collector that is away one line is enough: every message says it again.
    for name in _NOISY:
        logging.getLogger(name).addFilter(_Seldom())
    _tracer = provider.get_tracer("touchstone")
    return lambda: _stop(provider)


_NOISY = (
    "opentelemetry.exporter.otlp.proto.grpc.exporter",
    "opentelemetry.sdk._shared_internal",
)


class _Seldom(logging.Filter):
    """One line a minute."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + 60
        return True


def _stop(provider: TracerProvider) -> None:
    global _tracer
    _tracer = None
    ending = threading.Thread(target=provider.shutdown, daemon=True)
    ending.start()
    ending.join(SHUTDOWN_SECONDS)


def on() -> bool:
    return _tracer is not None


def recording() -> bool:
    """Whether a span made now would be recorded, as far as is known without making it."""
    return _tracer is not None and not _left_out()


def span(name: str, **attributes: Attribute) -> AbstractContextManager[Span | _Off]:
    """A span around what is in the `with` block, below the current one. An exception that leaves
    the block is recorded in it."""
    if _tracer is None or _left_out():
        return _OFF
    return _tracer.start_as_current_span(name, attributes=attributes)


def past(
    name: str,
    seconds: float,
    ago: float = 0.0,
    attributes: Mapping[str, Attribute] | None = None,
) -> None:
    """A span of something that took so many seconds and ended now, or so many seconds ago."""
    if _tracer is None or _left_out():
        return
    end = time.time_ns() - int(ago * 1e9)
    begun = end - max(0, int(seconds * 1e9))
    _tracer.start_span(name, attributes=attributes, start_time=begun).end(end)


def note(**attributes: Attribute) -> None:
    """Adds attributes to the current span."""
    if _tracer is None:
        return
    from opentelemetry.trace import get_current_span

    get_current_span().set_attributes(attributes)


def inject() -> dict[str, str]:
    """The current span as metadata for another process; empty without one."""
    carrier: dict[str, str] = {}
    if _tracer is not None:
        _propagator().inject(carrier)
    return carrier


def sampled(carrier: Mapping[str, str]) -> bool:
    """Whether the trace in a carrier is recorded: the last bit says so."""
    return _tracer is not None and carrier.get(CARRIED[0], "").endswith(tuple("13579bdf"))


def attached(carrier: Mapping[str, str]) -> AbstractContextManager[object]:
    """A `with` block whose spans are below the one that `inject` put into the carrier."""
    if _tracer is None or CARRIED[0] not in carrier:
        return _OFF
    return _Attached(carrier)


def trace_id() -> str:
    """The current trace's, 32 hex digits; empty without one."""
    if _tracer is None:
        return ""
    from opentelemetry.trace import format_trace_id, get_current_span

    context = get_current_span().get_span_context()
    return format_trace_id(context.trace_id) if context.is_valid else ""


class _Attached:
    def __init__(self, carrier: Mapping[str, str]) -> None:
        self._carrier = carrier

    def __enter__(self) -> None:
        from opentelemetry.context import attach

        self._token = attach(_propagator().extract(self._carrier))

    def __exit__(self, *exc: object) -> None:
        from opentelemetry.context import detach

        detach(self._token)


def _propagator() -> Any:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator()


def _left_out() -> bool:
    """Whether the current trace is not sampled."""
    from opentelemetry.trace import get_current_span

    context = get_current_span().get_span_context()
    return context.is_valid and not context.trace_flags.sampled


def calls() -> tuple[Calls, ...]:
    """The interceptors of a server: none where nothing is traced."""
    return (Calls(),) if on() else ()


class Calls(grpc.aio.ServerInterceptor):
    """A span around every call of a server, below the client's where it brings one."""

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        handler = await continuation(handler_call_details)
        if handler is None or _tracer is None:
            return handler
        metadata = handler_call_details.invocation_metadata or ()
        carrier = {key: str(value) for key, value in metadata if key in CARRIED}
        return _traced(handler, handler_call_details.method, carrier)


def entered(
    name: str, carrier: Mapping[str, str], attributes: Mapping[str, Attribute]
) -> Span | None:
    """Begins the span of a call that has come, below its client's, for the rest of this task."""
    from opentelemetry.context import attach
    from opentelemetry.trace import SpanKind, set_span_in_context

    if _tracer is None:
        return None
    context = _propagator().extract(carrier)
    made = _tracer.start_span(name, context, SpanKind.SERVER, attributes)
    attach(set_span_in_context(made, context))
    return made


def _traced(handler: Any, method: str, carrier: dict[str, str]) -> grpc.RpcMethodHandler[Any, Any]:
    """The handler within a span. A call has a task of its own, whose context ends with it: what
    is attached there need not be detached, which a stream that is broken off could not do."""
    begun = partial(entered, method.rpartition("/")[2], carrier, {"rpc.method": method.strip("/")})

    if handler.response_streaming:
        behaviour = handler.stream_stream or handler.unary_stream

        async def streaming(request: Any, context: Any) -> AsyncIterator[Any]:
            made = begun()
            try:
                async with aclosing(behaviour(request, context)) as answers:
                    async for answer in answers:
                        yield answer
            finally:
                _ended(made, context)

        kind = (
            grpc.stream_stream_rpc_method_handler
            if handler.request_streaming
            else grpc.unary_stream_rpc_method_handler
        )
        return kind(streaming, handler.request_deserializer, handler.response_serializer)
    behaviour = handler.stream_unary or handler.unary_unary

    async def single(request: Any, context: Any) -> Any:
        made = begun()
        try:
            return await behaviour(request, context)
        finally:
            _ended(made, context)

    kind = (
        grpc.stream_unary_rpc_method_handler
        if handler.request_streaming
        else grpc.unary_unary_rpc_method_handler
    )
    return kind(single, handler.request_deserializer, handler.response_serializer)


def _ended(made: Span | None, context: Any) -> None:
    if made is None:
        return
    code = context.code()
    if code:
        made.set_attribute("rpc.code", str(code))
    made.end()
