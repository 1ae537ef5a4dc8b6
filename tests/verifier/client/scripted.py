"""A real gRPC server with the service's methods and a script for each call; a proxy that loses it."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import grpc

from verifier.v1 import verifier_pb2 as pb
from verifier.v1.verifier_pb2_grpc import VerifierServicer, add_VerifierServicer_to_server

Answer = Callable[[int, pb.Batch, grpc.ServicerContext], Iterator[pb.Verdicts]]


def answered(place: int, name: str = "") -> pb.Verdicts:
    verdict = pb.Verdict(id=name or str(place), status=pb.Verdict.OK, reward=1.0)
    return pb.Verdicts(verdicts=[pb.IndexedVerdict(index=place, verdict=verdict)])


def all_of(number: int, batch: pb.Batch, context: grpc.ServicerContext) -> Iterator[pb.Verdicts]:
    for place, item in enumerate(batch.items):
        yield answered(place, item.id)


@dataclass
class Service(VerifierServicer):
    answer: Answer
    address: str = ""
    calls: list[list[str]] = field(default_factory=list)
    """Ids, call by call."""
    metadata: list[dict[str, str]] = field(default_factory=list)

    def VerifyBatch(
        self, request: pb.Batch, context: grpc.ServicerContext
    ) -> Iterator[pb.Verdicts]:  # type: ignore[override]
        self.calls.append([item.id for item in request.items])
        self.metadata.append(dict(context.invocation_metadata()))
        yield from self.answer(len(self.calls), request, context)

    def Describe(
        self, request: pb.DescribeRequest, context: grpc.ServicerContext
    ) -> pb.DescribeResponse:
        self.metadata.append(dict(context.invocation_metadata()))
        return pb.DescribeResponse(version="scripted")


@contextmanager
def service(
    answer: Answer = all_of, credentials: grpc.ServerCredentials | None = None
) -> Iterator[Service]:
    running = Service(answer)
    server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
    add_VerifierServicer_to_server(running, server)  # type: ignore[no-untyped-call]
    port = (
        server.add_insecure_port("127.0.0.1:0")
        if credentials is None
        else server.add_secure_port("127.0.0.1:0", credentials)
    )
    running.address = f"127.0.0.1:{port}"
    server.start()
    try:
        yield running
    finally:
        server.stop(0).wait()


DATA, RST_STREAM, END_STREAM = 0, 3, 1


@contextmanager
def cutting_proxy(target: str, how: int | str, after: int) -> Iterator[str]:
    """A proxy whose replica is lost in mid-stream, once: after so many messages of the first stream
    with data it resets that with an HTTP/2 error code, ends it without a status ("end"), or hangs
    up ("hang up"). Its address."""
    host, _, port = target.rpartition(":")
    listening = socket.create_server(("127.0.0.1", 0))
    cut = threading.Event()

    def upwards(client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                server.sendall(data)
        server.close()

    def downwards(client: socket.socket, server: socket.socket) -> None:
        seen, lost = dict[int, int](), set[int]()
        with suppress(OSError), server.makefile("rb") as frames, client:
            while len(head := frames.read(9)) == 9:
                length, kind = int.from_bytes(head[:3], "big"), head[3]
                stream = int.from_bytes(head[5:], "big")
                body = frames.read(length)
                if stream in lost:
                    continue
                client.sendall(head + body)
                if kind != DATA or cut.is_set():
                    continue
                seen[stream] = seen.get(stream, 0) + 1
                if seen[stream] < after:
                    continue
                cut.set()
                lost.add(stream)
                if how == "hang up":
                    client.shutdown(socket.SHUT_RDWR)
                    return
                if how == "end":
                    client.sendall(struct.pack(">BHBBI", 0, 0, DATA, END_STREAM, stream))
                else:
                    client.sendall(struct.pack(">BHBBII", 0, 4, RST_STREAM, 0, stream, how))

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                server = socket.create_connection((host, int(port)))
                for one in (upwards, downwards):
                    threading.Thread(target=one, args=(client, server), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
