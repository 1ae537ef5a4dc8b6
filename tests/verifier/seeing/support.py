"""A server whose log is kept, and a collector that takes spans over OTLP's own protocol."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as otlp
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as rpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Running:
    """A process that listens."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    def find(self, pattern: str, seconds: float = 30.0) -> str:
        """The first group of what it printed, or logged, as soon as it is there."""
        end = time.monotonic() + seconds
        while True:
            text = self.out.read_text() + self.err.read_text()
            if found := re.search(pattern, text):
                return found[1]
            assert self.process.poll() is None, text
            assert time.monotonic() < end, text
            time.sleep(0.02)

    @property
    def address(self) -> str:
        return self.find(r"listening on ([^\s,]+)")

    @property
    def metrics(self) -> str:
        return self.find(r"metrics at http://(\S+)/metrics")

    @property
    def http(self) -> str:
        return self.find(r"http at (\S+)")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@contextmanager
def started(folder: Path, module: str, *arguments: str) -> Iterator[Running]:
    """`python -m module serve` with these arguments; its log and output are files in the folder."""
    folder.mkdir(exist_ok=True)
    out, err = folder / "out", folder / "err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", module, "serve", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
    running = Running(process, out, err)
    try:
        assert running.address
        yield running
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()


@dataclass(frozen=True)
class Seen:
    """A span, and the service that sent it."""

    service: str
    span: Span

    @property
    def name(self) -> str:
        return self.span.name

    @property
    def attributes(self) -> dict[str, object]:
        return {
            each.key: getattr(each.value, str(each.value.WhichOneof("value")))
            for each in self.span.attributes
        }


@dataclass
class Collector(rpc.TraceServiceServicer):
    """What spans have come."""

    address: str = ""
    seen: list[Seen] = field(default_factory=list)
    _more: threading.Condition = field(default_factory=threading.Condition)

    def Export(
        self, request: otlp.ExportTraceServiceRequest, context: object
    ) -> otlp.ExportTraceServiceResponse:
        with self._more:
            for resource in request.resource_spans:
                named = {each.key: each.value.string_value for each in resource.resource.attributes}
                for scope in resource.scope_spans:
                    self.seen.extend(Seen(named["service.name"], span) for span in scope.spans)
            self._more.notify_all()
        return otlp.ExportTraceServiceResponse()

    def trace(self, trace_id: str, count: int, seconds: float = 15.0) -> list[Seen]:
        """The spans of a trace, as soon as there are so many."""
        with self._more:
            enough = self._more.wait_for(lambda: len(self._of(trace_id)) >= count, seconds)
            found = self._of(trace_id)
        assert enough, [(one.service, one.name) for one in found]
        return found

    def _of(self, trace_id: str) -> list[Seen]:
        return [one for one in self.seen if one.span.trace_id.hex() == trace_id]


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens at http://{address}."""
    server = grpc.server(ThreadPoolExecutor(2))
    collector = Collector()
    rpc.add_TraceServiceServicer_to_server(collector, server)
    collector.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield collector
    finally:
        server.stop(None)


def chain(spans: list[Seen], last: Seen) -> list[str]:
    """The names from a span up to the root of its trace."""
    by_id = {one.span.span_id: one for one in spans}
    names, at = [last.name], last
    while at.span.parent_span_id:
        at = by_id[at.span.parent_span_id]
        names.append(at.name)
    return names
