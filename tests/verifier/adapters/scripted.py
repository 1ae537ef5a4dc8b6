"""A verification service that does as the responses say, and notes what it was sent.

A number is the item's reward; `hang` waits until the call is cancelled; `skip` gives no verdict;
`busy` refuses the batch as a full server does.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc

from verifier.v1 import verifier_pb2 as pb
from verifier.v1.verifier_pb2_grpc import VerifierServicer, add_VerifierServicer_to_server


@dataclass
class Scripted(VerifierServicer):
    address: str = ""
    batches: list[list[str]] = field(default_factory=list)
    """Ids, batch by batch."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    hanging: threading.Event = field(default_factory=threading.Event)
    server: grpc.Server | None = None

    def VerifyBatch(
        self, request: pb.Batch, context: grpc.ServicerContext
    ) -> Iterator[pb.Verdicts]:  # type: ignore[override]
        self.batches.append([item.id for item in request.items])
        for place, item in enumerate(request.items):
            if item.response == "busy":
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "items_in_flight: full")
            elif item.response != "skip" and item.response != "hang":
                verdict = pb.Verdict(id=item.id, status=pb.Verdict.OK, reward=float(item.response))
                yield pb.Verdicts(verdicts=[pb.IndexedVerdict(index=place, verdict=verdict)])
        if any(item.response == "hang" for item in request.items):
            context.add_callback(self.cancelled.set)
            self.hanging.set()
            self.cancelled.wait(60)


@contextmanager
def scripted(port: int = 0) -> Iterator[Scripted]:
    servicer = Scripted()
    server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0)])
    add_VerifierServicer_to_server(servicer, server)  # type: ignore[no-untyped-call]
    servicer.address = f"127.0.0.1:{server.add_insecure_port(f'127.0.0.1:{port}')}"
    servicer.server = server
    server.start()
    try:
        yield servicer
    finally:
        servicer.cancelled.set()
        server.stop(0).wait()
