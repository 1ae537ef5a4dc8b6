"""Options of commands that ask a running server, and the client that follows from them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from verifier.client import Tls, VerifierClient
from verifier.terminal import fail

TokenEnv = Annotated[
    str | None,
    typer.Option(help="The environment variable that holds the bearer token (TOUCHSTONE_TOKEN)."),
]
TlsCa = Annotated[
    Path | None, typer.Option(help="TLS; whose certificate the server has (TOUCHSTONE_TLS_CA).")
]
TlsCert = Annotated[
    Path | None, typer.Option(help="Our certificate, with --tls-key (TOUCHSTONE_TLS_CERT).")
]
TlsKey = Annotated[Path | None, typer.Option(help="The key of --tls-cert (TOUCHSTONE_TLS_KEY).")]
TlsName = Annotated[
    str | None,
    typer.Option(help="The name in the server's certificate, if another (TOUCHSTONE_TLS_NAME)."),
]
Insecure = Annotated[
    bool | None,
    typer.Option(
        "--insecure",
        help="The token may travel without TLS to another machine (TOUCHSTONE_INSECURE=1).",
    ),
]


@dataclass(frozen=True)
class Client:
    """`Client(...)(address)` is the client; ends the command for what will not do."""

    told: str | None
    """--address; None where the server is one of our own, which has neither tokens nor TLS."""
    token_env: str | None
    tls_ca: Path | None
    tls_cert: Path | None
    tls_key: Path | None
    tls_name: str | None
    insecure: bool | None

    def __call__(self, address: str) -> VerifierClient:
        given = {
            "--token-env": self.token_env,
            "--tls-ca": self.tls_ca,
            "--tls-cert": self.tls_cert,
            "--tls-key": self.tls_key,
            "--tls-name": self.tls_name,
            "--insecure": self.insecure,
        }
        for option, value in given.items():
            if value is not None and self.told is None:
                fail(f"{option}: is for the server at --address, and none was given")
        token = None
        if self.token_env is not None and not (token := os.environ.get(self.token_env)):
            fail(f"--token-env: {self.token_env} is not set")
        try:
            tls = None
            if any(value is not None for name, value in given.items() if name.startswith("--tls")):
                tls = Tls(self.tls_ca, self.tls_cert, self.tls_key, self.tls_name)
            return VerifierClient(
                address, token=token, tls=tls, program="touchstone", insecure=self.insecure
            )
        except ValueError as error:
            fail(f"--address: {error}")
