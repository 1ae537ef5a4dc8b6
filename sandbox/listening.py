"""Where a server may listen: beyond this machine only when its owner has said so.

Whoever reaches a sandbox or a verifier can run programs there, so an address that other machines
reach is refused unless what listens there is protected, or is said to be meant so.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

UNIX = "unix:"

PORTS = 65_536

PATH_BYTES = 107
"""Of a unix socket's path: what the kernel's sockaddr_un holds, without the closing zero."""


class CannotListen(ValueError):
    """The address cannot, or may not, be listened on; the message says why."""


@dataclass(frozen=True)
class Address:
    """A place to listen on."""

    host: str
    """Without brackets; empty for a unix socket."""

    port: int
    """0 takes a free one."""

    path: str = ""
    """Of a unix socket."""

    local: bool = True
    """Only this machine reaches it."""

    def at(self, port: int) -> str:
        """As a client is told it, with the port that was taken."""
        if self.path:
            return UNIX + self.path
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"

    def __str__(self) -> str:
        return self.at(self.port)


def read(text: str) -> Address:
    """Reads "host:port", "[IPv6]:port" or "unix:path"; a name is looked up, which may take its
    time. Raises CannotListen."""
    if text.startswith(UNIX):
        path = text.removeprefix(UNIX)
        if path.startswith("//"):  # unix:///path, the same place
            path = path.removeprefix("//")
        size = len(path.encode(errors="replace"))
        if not path or "\0" in path or size > PATH_BYTES:
            raise CannotListen(f"unix:path with 1 to {PATH_BYTES} bytes, got {text!r}")
        return Address("", 0, path)
    host, _, port = text.rpartition(":")
    if not (host and port.isascii() and port.isdigit() and int(port) < PORTS):
        raise CannotListen(f"host:port with a port below {PORTS}, or unix:path, got {text!r}")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise CannotListen(f"an IPv6 address stands in brackets, [address]:port, got {text!r}")
    return Address(host, int(port), local=_local(host, text))


def permitted(text: str, ways: str, allowed: bool) -> Address:
    """The address, if it is local or others are `allowed` to reach it. Raises CannotListen, whose
    message ends with why not and the `ways` out."""
    address = read(text)
    if not (address.local or allowed):
        raise CannotListen(f"others can reach {text!r}: {ways}")
    return address


def _local(host: str, text: str) -> bool:
    """Whether a host names the loopback and nothing else."""
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise CannotListen(f"cannot listen on {text!r}: {error}") from error
    return all(ipaddress.ip_address(str(place[4][0])).is_loopback for place in found)
