"""`touchstone health`: asks a server whether it serves, for health checks of containers.

Any server with the standard gRPC health service can be asked: `touchstone serve` and
`touchstone-sandbox serve` alike.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import grpc
import typer
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from verifier.client import Tls
from verifier.client.reach import Reach
from verifier.terminal import fail, printable

CLOSED = "Socket closed"
"""gRPC's words for a server that ended the connection."""

NOT_SERVING = 1
"""Exit status for every answer but SERVING, and for none."""


def health(
    address: Annotated[str, typer.Option(help="host:port of a running server.")] = (
        "127.0.0.1:50051"
    ),
    service: Annotated[
        str,
        typer.Option(
            help="Which service: verifier.v1.Verifier, sandbox.v1.Sandbox, or liveness, which is"
            " served as long as the process lives; default: the server as a whole."
        ),
    ] = "",
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds to wait for the connection and the answer.")
    ] = 5.0,
    tls_ca: Annotated[
        Path | None,
        typer.Option(
            help="PEM file of the authority of the server's certificate; with any --tls option"
            " but this one: a public authority."
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(help="PEM file of our certificate, for mutual TLS.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM file of its key.")] = None,
    tls_name: Annotated[
        str | None,
        typer.Option(help="The name in the server's certificate; default: the address's."),
    ] = None,
) -> None:
    """Ask a server whether it serves; exit status 0 only if it does.

    No token is needed: health is told to everybody who can connect.
    """
    wanted = (tls_ca, tls_cert, tls_key, tls_name)
    try:
        tls = None if wanted == (None,) * len(wanted) else Tls(*wanted)
        channel, _ = Reach(address, tls=tls).channel(grpc)
    except ValueError as error:
        fail(str(error))
    with channel:
        try:
            answer = HealthStub(channel).Check(HealthCheckRequest(service=service), timeout=timeout)
        except grpc.RpcError as error:
            said = printable(error.details() or "")
            if tls is None and CLOSED in said:
                said += " (a server with TLS does so: --tls-ca)"
            _end(f"{address}: {error.code().name}: {said}")
    status = HealthCheckResponse.ServingStatus.Name(answer.status)
    if answer.status != HealthCheckResponse.SERVING:
        _end(f"{address}: {status}")
    print(status)


def _end(message: str) -> None:
    """One plain line: it is kept in a container's health log, where colours are noise."""
    print(f"touchstone: {message}", file=sys.stderr)
    raise typer.Exit(NOT_SERVING)
