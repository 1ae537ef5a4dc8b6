"""TLS for everything that listens, from files that may be renewed while the server runs.

A changed file is seen within seconds, at the next connection; connections that are open keep what
they began with. Files that cannot be used are told in the log, and the old ones stay.
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from verifier.settings import ListenError

log = logging.getLogger("touchstone.security")

LOOK_SECONDS = 1.0
"""The files are looked at so often, if connections come."""


class TlsError(ListenError):
    """Files that no connection can be made with; the message names the option."""


@dataclass(frozen=True)
class TlsFiles:
    """Where they are, all PEM."""

    certificate: Path
    """The server's, and what leads from it to its CA."""

    key: Path
    """Its private key, without a passphrase."""

    client_ca: Path | None = None
    """Clients must show a certificate of one of these CAs; None: none is asked for."""


@dataclass(frozen=True)
class _Loaded:
    stamps: tuple[object, ...]
    grpc: grpc.ServerCertificateConfiguration
    context: ssl.SSLContext


def files_of(certificate: Path | None, key: Path | None, client_ca: Path | None) -> TlsFiles | None:
    """The files of `--tls-cert`, `--tls-key` and `--tls-client-ca`; None where TLS is not asked
    for. Raises TlsError."""
    given = {"--tls-cert": certificate, "--tls-key": key, "--tls-client-ca": client_ca}
    if certificate is not None and key is not None:
        return TlsFiles(certificate, key, client_ca)
    for option, path in given.items():
        if path is not None:
            missing = "--tls-cert" if certificate is None else "--tls-key"
            raise TlsError(f"{option}: needs {missing} too")
    return None


class Certificates:
    """What the server shows, and whom it trusts, as the files say now. Safe in any thread."""

    def __init__(self, files: TlsFiles) -> None:
        """Raises TlsError."""
        self._files = files
        self._lock = threading.Lock()
        self._loaded = _load(files)
        self._seen, self._looked = self._loaded.stamps, time.monotonic()

    def credentials(self) -> grpc.ServerCredentials:
        """For a gRPC port."""
        sent = self._loaded.grpc

        def renewed() -> grpc.ServerCertificateConfiguration | None:
            nonlocal sent
            now = self._now().grpc
            if now is sent:
                return None
            sent = now
            return now

        return grpc.dynamic_ssl_server_credentials(
            sent,
            renewed,  # type: ignore[arg-type]  # None for no change
            require_client_authentication=self._files.client_ca is not None,
        )

    def context(self) -> ssl.SSLContext:
        """For an asyncio server."""
        return _Renewed(self)

    def reload(self) -> None:
        """Looks at the files now."""
        with self._lock:
            self._look()

    def _now(self) -> _Loaded:
        with self._lock:
            if time.monotonic() - self._looked >= LOOK_SECONDS:
                self._look()
            return self._loaded

    def _look(self) -> None:
        self._looked = time.monotonic()
        try:
            stamps = _stamps(self._files)
            if stamps == self._seen:
                return
            self._seen = stamps
            self._loaded = _load(self._files)
        except TlsError as error:
            log.error("the old certificate stays: %s", error)
        else:
            log.info("renewed: %s", self._files.certificate)


class _Renewed(ssl.SSLContext):
    """Hands each connection to the context of the files as they are now."""

    _certificates: Certificates

    def __new__(cls, certificates: Certificates) -> _Renewed:
        made = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)
        made._certificates = certificates
        return made

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        return self._certificates._now().context.wrap_bio(*args, **kwargs)


def _parts(files: TlsFiles) -> tuple[tuple[str, Path], ...]:
    parts = (("--tls-cert", files.certificate), ("--tls-key", files.key))
    return parts if files.client_ca is None else (*parts, ("--tls-client-ca", files.client_ca))


def _stamps(files: TlsFiles) -> tuple[object, ...]:
    """Other ones when a file was written, or another one put in its place."""
    found: list[object] = []
    for option, path in _parts(files):
        try:
            stat = path.stat()
        except OSError as error:
            raise TlsError(f"{option}: {error}") from error
        found.append((stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_size))
    return tuple(found)


def _load(files: TlsFiles) -> _Loaded:
    stamps = _stamps(files)
    texts = {}
    for option, path in _parts(files):
        try:
            texts[option] = path.read_bytes()
        except OSError as error:
            raise TlsError(f"{option}: {error}") from error
        wanted = b"PRIVATE KEY-----" if option == "--tls-key" else b"-----BEGIN CERTIFICATE-----"
        if wanted not in texts[option]:
            kind = "a private key" if option == "--tls-key" else "a certificate"
            raise TlsError(f"{option}: no PEM file with {kind}, {path}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # Without a passphrase to give, a key that wants one is an error, not a question.
        context.load_cert_chain(files.certificate, files.key, password="")
    except (ssl.SSLError, OSError, ValueError) as error:
        raise TlsError(
            f"--tls-cert, --tls-key: no pair of certificate and key without a passphrase, "
            f"{files.certificate} and {files.key}: {error}"
        ) from error
    if files.client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(files.client_ca)
        except (ssl.SSLError, OSError) as error:
            raise TlsError(f"--tls-client-ca: {files.client_ca}: {error}") from error
    configuration = grpc.ssl_server_certificate_configuration(
        [(texts["--tls-key"], texts["--tls-cert"])], texts.get("--tls-client-ca")
    )
    return _Loaded(stamps, configuration, context)
