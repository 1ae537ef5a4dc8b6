"""How a service is reached, and what a client says of itself there.

What is not told is taken from the environment, for trainers that pass on no more than an address:

    TOUCHSTONE_TOKEN       the bearer token
    TOUCHSTONE_CLIENT      the client's name
    TOUCHSTONE_PRIORITY    high, normal or low
    TOUCHSTONE_RESEND_S    seconds; 0: what fails is not sent again
    TOUCHSTONE_INSECURE    1: the token may travel without TLS
    TOUCHSTONE_TLS         1: TLS with the public certificate authorities
    TOUCHSTONE_TLS_CA, TOUCHSTONE_TLS_CERT, TOUCHSTONE_TLS_KEY    files of PEM: TLS with these
    TOUCHSTONE_TLS_NAME    the name in the server's certificate, if not the address's

TLS from the environment is for addresses beyond this machine: a server that a program starts for
itself, on loopback, has none.
"""

from __future__ import annotations

import ipaddress
import json
import math
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import grpc

from verifier.client.resend import RESEND_S
from verifier.security.names import NAME_CHARS, WANTED, is_name

Priority = Literal["high", "normal", "low"]

MESSAGE_BYTES = 256 * 1024 * 1024
"""Largest message accepted from the server; its own limit for requests is the same."""

SCHEMES = ("dns:", "ipv4:", "ipv6:", "unix:", "unix-abstract:", "xds:")
"""Of gRPC's own names for targets, which are taken as they are."""

LOCAL_SCHEMES = ("unix:", "unix-abstract:")

CHANNEL_OPTIONS: list[tuple[str, Any]] = [
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    # Finds a dead peer within 40 s and keeps idle connections open through
    # load balancers while the trainer generates.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # A service that is back is found within seconds, not after gRPC's two minutes at most.
    ("grpc.max_reconnect_backoff_ms", 5_000),
]

ROUND_ROBIN = json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})

Pem = bytes | str | Path | None
"""PEM itself as bytes, or the path of a file of it."""


@dataclass(frozen=True)
class Tls:
    """TLS to a service; `Tls()` trusts the public certificate authorities."""

    ca: Pem = field(default=None, repr=False)
    """Of whom the server's certificate must be; None: of a public authority."""
    certificate: Pem = field(default=None, repr=False)
    """The client's own, for a server that asks for one; with `key`."""
    key: Pem = field(default=None, repr=False)
    server_name: str | None = None
    """The name in the server's certificate; None: the address's."""

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            given, missing = ("key", "certificate") if self.key else ("certificate", "key")
            raise ValueError(f"tls: {given} without {missing}")

    def credentials(self) -> grpc.ChannelCredentials:
        """Raises ValueError for what is no PEM, naming the field and never what it holds."""
        ca, certificate, key = (_pem(self, name) for name in ("ca", "certificate", "key"))
        return grpc.ssl_channel_credentials(ca, key, certificate)


@dataclass(frozen=True)
class Reach:
    """A service as it is reached. Raises ValueError for what will not do, naming it."""

    address: str
    """host:port; several with commas between, which take turns (names are looked up once);
    dns:///name:port, whose addresses take turns and are looked up again; unix:path."""
    token: str | None = field(default=None, repr=False)
    tls: Tls | None = None
    client: str = field(default_factory=lambda: own_name())
    """What the client is called, in the server's sharing out, logs and metrics: clients of one
    name have one share."""
    priority: Priority = "normal"
    insecure: bool = False
    """The token may travel without TLS to another machine."""
    resend_s: float = RESEND_S

    def __post_init__(self) -> None:
        hosts = hosts_of(self.address)
        if self.priority not in get_args(Priority):
            known = ", ".join(get_args(Priority))
            raise ValueError(f"priority: one of {known}, got {self.priority!r}")
        if not is_name(self.client):
            raise ValueError(f"client: {WANTED}, got {self.client[:40]!a}")
        if not 0 <= self.resend_s < math.inf:
            raise ValueError(f"resend_s: at least 0 and finite, got {self.resend_s!r}")
        if self.token is None:
            return
        if not (self.token and self.token.isascii() and self.token.isprintable()) or (
            " " in self.token
        ):
            raise ValueError("token: printable ASCII without spaces; what was given is not")
        if self.tls is None and not self.insecure and not all(map(_is_loopback, hosts)):
            raise ValueError(
                f"token: would travel in the clear to {self.address!r}; give tls "
                "(TOUCHSTONE_TLS_CA), or insecure=True on a network that you trust"
            )

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Of every call, with the span that is current where its caller is."""
        said = [("touchstone-client", self.client), ("touchstone-priority", self.priority)]
        if self.token is not None:
            said.append(("authorization", f"Bearer {self.token}"))
        if (traceparent := _traceparent()) is not None:
            said.append(("traceparent", traceparent))
        return tuple(said)

    def channel(self, library: Any) -> tuple[Any, int]:
        """A channel of `grpc` or of `grpc.aio`, and how many replicas it is known to have.

        Raises ValueError for a name that cannot be looked up.
        """
        hosts = hosts_of(self.address)
        options = list(CHANNEL_OPTIONS)
        target = self.address
        if len(hosts) > 1:
            target = _target(self.address)
        if len(hosts) > 1 or target.startswith("dns:"):
            options.append(("grpc.service_config", ROUND_ROBIN))
        if self.tls is None:
            return library.insecure_channel(target, options=options), len(hosts)
        name = self.tls.server_name
        if name is None and len(hosts) > 1:
            if len(set(hosts)) > 1:
                raise ValueError(
                    "tls: server_name: replicas of different names need the name in their "
                    f"certificate, got none for {self.address!r}"
                )
            name = hosts[0]
        if name is not None:
            options.append(("grpc.ssl_target_name_override", name))
            options.append(("grpc.default_authority", name))
        credentials = self.tls.credentials()
        return library.secure_channel(target, credentials, options=options), len(hosts)


def reach(
    address: str,
    *,
    token: str | None = None,
    tls: Tls | None = None,
    client: str | None = None,
    program: str = "",
    priority: Priority | None = None,
    insecure: bool | None = None,
    resend_s: float | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Reach:
    """What is told, and what the environment has of the rest. Raises ValueError."""

    def found(name: str) -> str | None:
        return environment.get(f"TOUCHSTONE_{name}") or None

    if tls is None and not all(map(_is_loopback, hosts_of(address))):
        ca, certificate, key = (found(f"TLS_{name}") for name in ("CA", "CERT", "KEY"))
        server_name = found("TLS_NAME")
        if _yes(found("TLS"), "TLS") or ca or certificate or key or server_name:
            tls = Tls(ca, certificate, key, server_name)
    if resend_s is None and (told := found("RESEND_S")) is not None:
        try:
            resend_s = float(told)
        except ValueError as error:
            raise ValueError(f"TOUCHSTONE_RESEND_S: seconds, got {told!r}") from error
    if insecure is None:
        insecure = _yes(found("INSECURE"), "INSECURE")
    return Reach(
        address,
        token if token is not None else found("TOKEN"),
        tls,
        client if client is not None else found("CLIENT") or own_name(program),
        priority or found("PRIORITY") or "normal",  # type: ignore[arg-type]  # is checked there
        insecure,
        RESEND_S if resend_s is None else resend_s,
    )


def own_name(program: str = "") -> str:
    """What a client is called that was given no name: its program, host and process."""
    parts = [*([program] if program else []), socket.gethostname(), str(os.getpid())]
    name = ":".join(parts)[-NAME_CHARS:]
    return "".join(letter if is_name(letter) else "?" for letter in name)


def hosts_of(address: str) -> list[str]:
    """The hosts of an address; of one with a scheme of gRPC's, itself. Raises ValueError."""
    if not isinstance(address, str) or not address:
        raise ValueError(f"address: host:port of the service, got {address!r}")
    if address.startswith(SCHEMES):
        return [address]
    hosts = []
    for one in address.split(","):
        host, _, port = one.strip().rpartition(":")
        right = port.isascii() and port.isdigit() and 0 < int(port) < 65_536
        if not host or not right or (":" in host and not host.startswith("[")):
            raise ValueError(
                "address: host:port, several with commas between, dns:///name:port or unix:path, "
                f"got {one.strip()!r}" + ("" if one == address else f" in {address!r}")
            )
        hosts.append(host.strip("[]"))
    return hosts


def _target(address: str) -> str:
    """gRPC's name for several hosts, looked up: it takes addresses of one family only."""
    found = dict[str, dict[str, None]](ipv4={}, ipv6={})  # each address once, in order
    hosts = [one.strip().rpartition(":") for one in address.split(",")]
    families = []
    for bracketed, _, port in hosts:
        host = bracketed.strip("[]")
        try:
            infos = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise ValueError(f"address: {host!r} cannot be looked up: {error}") from error
        here = set[str]()
        for family, *_, place in infos:
            if family == socket.AF_INET:
                found["ipv4"][f"{place[0]}:{port}"] = None
                here.add("ipv4")
            elif family == socket.AF_INET6:
                found["ipv6"][f"[{place[0]}]:{port}"] = None
                here.add("ipv6")
        families.append(here)
    for family_name, places in found.items():
        if all(family_name in here for here in families):
            return f"{family_name}:" + ",".join(places)
    raise ValueError(f"address: hosts of IPv4 and of IPv6 cannot be mixed, got {address!r}")


def _is_loopback(host: str) -> bool:
    """Of what `hosts_of` gives. A name is looked at as it is written: only `localhost` is sure."""
    if host.startswith(LOCAL_SCHEMES):
        return True
    if host.startswith(SCHEMES):  # scheme:[//authority/]host:port,...
        places = host.partition(":")[2].rpartition("/")[2].split(",")
        return all(_is_loopback(place.rpartition(":")[0].strip("[]")) for place in places)
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _pem(tls: Tls, name: str) -> bytes | None:
    given: Pem = getattr(tls, name)
    if given is None:
        return None
    try:
        read = given if isinstance(given, bytes) else Path(given).read_bytes()
    except OSError as error:
        raise ValueError(f"tls: {name}: {error}") from error
    if b"-----BEGIN " not in read:
        raise ValueError(f"tls: {name}: PEM, or the path of a file of it; what was given is not")
    return read


def _yes(told: str | None, name: str) -> bool:
    if told not in (None, "0", "1"):
        raise ValueError(f"TOUCHSTONE_{name}: 0 or 1, got {told!r}")
    return told == "1"


def _traceparent() -> str | None:
    """The current span of OpenTelemetry, if the program uses that; W3C's form."""
    trace: Any = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    flags = int(context.trace_flags)
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{flags:02x}"
