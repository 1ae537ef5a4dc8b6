"""Certificates, tokens and a server in a process of its own whose whole log is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import trustme

from verifier.embedded import READY_PREFIX
from verifier.security import tokens
from verifier.v1 import verifier_pb2 as pb

METHOD = "/verifier.v1.Verifier/"
ITEM = {"id": "a", "response": "\\boxed{4}", "math": {"gold": ["4"]}}


def item(name: str = "a") -> pb.Item:
    return pb.Item(id=name, response="\\boxed{4}", math=pb.MathTask(gold=["4"]))


def batch(size: int) -> pb.Batch:
    return pb.Batch(items=[item(str(place)) for place in range(size)])


@dataclass(frozen=True)
class Files:
    """What --tls-cert and --tls-key name."""

    certificate: Path
    key: Path


def write(folder: Path, made: trustme.LeafCert, name: str = "server") -> Files:
    files = Files(folder / f"{name}.pem", folder / f"{name}.key")
    files.certificate.write_bytes(b"".join(each.bytes() for each in made.cert_chain_pems))
    files.key.write_bytes(made.private_key_pem.bytes())
    return files


def credentials(ca: trustme.CA, shown: trustme.LeafCert | None = None) -> grpc.ChannelCredentials:
    """A client's, which trusts `ca` and shows a certificate or none."""
    if shown is None:
        return grpc.ssl_channel_credentials(ca.cert_pem.bytes())
    chain = b"".join(each.bytes() for each in shown.cert_chain_pems)
    return grpc.ssl_channel_credentials(ca.cert_pem.bytes(), shown.private_key_pem.bytes(), chain)


def bearer(token: str, **more: str) -> tuple[tuple[str, str], ...]:
    """Metadata of a call; `client="x"` stands for touchstone-client."""
    named = tuple((f"touchstone-{name}", value) for name, value in more.items())
    return (("authorization", f"Bearer {token}"), *named)


def verify(channel: grpc.Channel, metadata: tuple[tuple[str, str], ...] = ()) -> pb.Verdict:
    call = channel.unary_unary(METHOD + "Verify", pb.Item.SerializeToString, pb.Verdict.FromString)
    return call(item(), timeout=20, metadata=metadata)


def verify_batch(
    channel: grpc.Channel, size: int, metadata: tuple[tuple[str, str], ...] = ()
) -> int:
    """How many verdicts came."""
    call = channel.unary_stream(
        METHOD + "VerifyBatch", pb.Batch.SerializeToString, pb.Verdicts.FromString
    )
    answers = call(batch(size), timeout=20, metadata=metadata)
    return sum(len(each.verdicts) for each in answers)


def table(name: str, token: str, **more: object) -> str:
    """One caller in a file of callers."""
    written = {
        key: f'"{value}"' if isinstance(value, str) else value for key, value in more.items()
    }
    return tokens.lines(name, token) + "".join(
        f"{key} = {value}\n" for key, value in written.items()
    )


@dataclass(frozen=True)
class Running:
    address: str
    url: str
    log: Path
    pid: int


@contextmanager
def serving(log: Path, *arguments: str, **environment: str) -> Iterator[Running]:
    """`touchstone serve` with an HTTP front, without programs, at the log level debug."""
    fixed = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--sandbox", "none"]
    command = [sys.executable, "-m", "verifier.cli", "serve", *fixed, "--log-level", "debug"]
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [*command, "--end-with-stdin", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | environment,
        ) as process,
    ):
        assert process.stdout is not None
        first, second = process.stdout.readline(), process.stdout.readline()
        assert first.startswith(READY_PREFIX), log.read_text()
        url = second.strip().removeprefix("http at ")
        try:
            yield Running(first.strip().removeprefix(READY_PREFIX), url, log, process.pid)
        finally:
            process.terminate()
            process.wait(20)
