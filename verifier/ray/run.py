"""`touchstone serve --ray`, control flow on one page.

a cluster, started or joined -> Serve with our ingress -> the application -> until told to stop
-> the application away, Serve and the cluster with it if they were ours
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import grpc
import ray
from ray import serve
from ray.exceptions import RayError

from sandbox.listening import Address
from verifier.embedded import READY_PREFIX
from verifier.ray.app import Scale, application
from verifier.ray.ingress import APPLICATION, FUNCTION, Ingress
from verifier.security.listening import Listening, callers_of
from verifier.settings import ListenError, Settings
from verifier.v1 import verifier_pb2 as pb
from verifier.v1.verifier_pb2_grpc import VerifierStub

log = logging.getLogger("touchstone.ray")

OWN = "local"
"""The address of a cluster of our own, on this machine alone."""

HTTP_PORT = 8000
"""Of Ray's proxies in a cluster of others, on loopback; without HTTP they do not start."""

ROUTE = "/touchstone"
"""Serve wants one; nothing answers there."""

DESCRIBE_SECONDS = 30.0
"""A proxy learns of a new application within a second or two."""


class CannotServe(Exception):
    """Ray does not let us; the message says why."""


@dataclass(frozen=True)
class Place:
    """Where replicas are to be."""

    address: str = OWN
    """Of the cluster: "local", "auto" (the one of this machine) or host:port."""

    replicas_min: int = 1
    replicas_max: int | None = None
    """None: as many as there are nodes now."""


def run(settings: Settings, place: Place, end_with_stdin: bool) -> None:
    """Serves until SIGTERM or SIGINT. Raises CannotServe, ListenError."""
    doors = Listening.of(settings)
    listen = doors.place("--listen", settings.listen)
    if listen.path:
        raise ListenError("--listen: Ray's proxies listen on ports, got a unix socket")
    callers_of(settings)  # a file that cannot be used is told before Ray starts
    port = listen.port or _free_port()
    # In this order: Ray, when it is started, takes signals for itself.
    with _cluster(place.address), _stopping(end_with_stdin):
        ours = not serve.status().proxies
        if ours:
            _start_serve(settings, listen, port, place.address == OWN)
        try:
            _deploy(settings, place)
            _answers(port if doors.certificates is None else None)
            doors.warn()
            print(f"{READY_PREFIX}{listen.at(port)}", flush=True)
            signal.pause()
        finally:
            _ignore_signals()
            if ours:
                serve.shutdown()
            else:
                serve.delete(APPLICATION)


def _start_serve(settings: Settings, listen: Address, port: int, alone: bool) -> None:
    tls = settings.tls_certificate is not None
    ingress = Ingress(
        insecure=settings.insecure and not listen.local,
        tls_listen=listen.at(port) if tls else "",
        tls_certificate=_absolute(settings.tls_certificate),
        tls_key=_absolute(settings.tls_key),
        tls_client_ca=_absolute(settings.tls_client_ca),
        tokens=_absolute(settings.tokens),
    )
    environment = {
        **ingress.environment(),
        # Ray's default asks the replica beside the proxy first, so that one client keeps one
        # replica busy while others rest.
        "RAY_SERVE_PROXY_PREFER_LOCAL_NODE_ROUTING": "0",
        "RAY_SERVE_GRPC_MAX_MESSAGE_SIZE": str(settings.limits.message_bytes),
    }
    serve.start(
        proxy_location="EveryNode",
        http_options={"host": "127.0.0.1", "port": _free_port() if alone else HTTP_PORT},
        grpc_options={
            "port": _free_port() if tls else port,
            "grpc_servicer_functions": [FUNCTION],
        },
        # The proxies inherit what the controller has.
        controller_options={"runtime_env": {"env_vars": environment}},
        logging_config={"log_level": "WARNING"},
    )


def _deploy(settings: Settings, place: Place) -> None:
    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    if not nodes:
        raise CannotServe("--ray-address: no node of the cluster has CPUs")
    smallest = int(min(node["Resources"]["CPU"] for node in nodes))
    cpus = settings.slots or max(1, smallest)
    most = place.replicas_max or max(place.replicas_min, len(nodes))
    if most < place.replicas_min:
        raise CannotServe(
            f"--replicas-max: at least --replicas-min, got {most} and {place.replicas_min}"
        )
    log.info("replicas of %d CPUs, %d to %d of them", cpus, place.replicas_min, most)
    theirs = replace(
        settings,
        slots=cpus,
        # Replicas run in folders of Ray's.
        tokens=settings.tokens and settings.tokens.absolute(),
        cache=settings.cache and settings.cache.absolute(),
    )
    try:
        serve.run(
            application(theirs, Scale(place.replicas_min, most, cpus)),
            name=APPLICATION,
            route_prefix=ROUTE,
        )
    except (RuntimeError, RayError) as error:
        raise CannotServe(f"the replicas do not start: {error}") from error


def _answers(port: int | None) -> None:
    """Makes sure that a proxy passes our calls on, where one is reached in plaintext from here.
    Raises CannotServe."""
    here = ray.get_runtime_context().get_node_id()
    if port is None or here not in serve.status().proxies:
        return
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            VerifierStub(channel).Describe(
                pb.DescribeRequest(), timeout=DESCRIBE_SECONDS, wait_for_ready=True
            )
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNAUTHENTICATED:
                return  # it is ours that asks for a token
            raise CannotServe(
                f"--listen: Serve does not answer on port {port} ({error.code().name}: "
                f"{error.details()}); if it ran before, its gRPC options must name that port and "
                f"the function {FUNCTION} (docs/ray.md)"
            ) from error


@contextmanager
def _cluster(address: str) -> Iterator[None]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a server reports to nobody unasked
    own = {
        "include_dashboard": False,
        # Nobody is to join it.
        "_node_ip_address": "127.0.0.1",
    }
    try:
        ray.init(
            address=address,
            namespace=APPLICATION,
            logging_level=logging.WARNING,
            log_to_driver=log.isEnabledFor(logging.DEBUG),
            **(own if address == OWN else {}),
        )
    except (ConnectionError, RuntimeError, ValueError, RayError) as error:
        raise CannotServe(f"--ray-address: {address!r}: {error}") from error
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _stopping(end_with_stdin: bool) -> Iterator[None]:
    """A signal ends the block, wherever it is: Ray's calls wait for minutes."""

    def stop(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    if end_with_stdin:
        threading.Thread(target=_watch_stdin, daemon=True).start()
    with suppress(KeyboardInterrupt):
        yield


def _ignore_signals() -> None:
    """The way out has its own limits in time, and a second signal must not leave half of it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _watch_stdin() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _free_port() -> int:
    with socket.create_server(("", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def _absolute(path: Path | None) -> str:
    return "" if path is None else str(path.absolute())
