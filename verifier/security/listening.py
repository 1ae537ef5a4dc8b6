"""What listens, and how it is protected: addresses, certificates and tokens as the settings say."""

from __future__ import annotations

import logging
import ssl
from dataclasses import dataclass, field

import grpc

from sandbox.listening import Address, CannotListen, permitted
from verifier.callers import Callers
from verifier.security import tls, tokens
from verifier.settings import ListenError, Settings

log = logging.getLogger("touchstone.security")

WAYS = (
    "whoever does can run programs; give --tls-cert and --tls-key, or say with --insecure that "
    "they may"
)

METRICS_WAYS = "it is in plaintext; say with --insecure that they may"

HANDSHAKE_SECONDS = 10
"""From a connection to the end of its TLS handshake: as long as HTTP's headers may take."""

HANDSHAKE = (("grpc.server_handshake_timeout_ms", HANDSHAKE_SECONDS * 1000),)


def callers_of(settings: Settings) -> Callers:
    """Whoever may ask. Raises ListenError."""
    return Callers(None if settings.tokens is None else tokens.load(settings.tokens))


@dataclass
class Listening:
    """Where a server listens. Everything beyond this machine has TLS, or was said to be meant."""

    settings: Settings
    certificates: tls.Certificates | None
    public: list[Address] = field(default_factory=list)
    """The addresses that other machines reach."""

    @classmethod
    def of(cls, settings: Settings) -> Listening:
        """Reads the certificates. Raises ListenError."""
        files = tls.files_of(settings.tls_certificate, settings.tls_key, settings.tls_client_ca)
        return cls(settings, None if files is None else tls.Certificates(files))

    def place(self, option: str, text: str) -> Address:
        """An address for verdicts. Raises ListenError."""
        allowed = self.settings.insecure or self.certificates is not None
        return self._permitted(option, text, WAYS, allowed)

    def metrics_host(self) -> str:
        """Where metrics are shown. Raises ListenError."""
        host = self.settings.metrics_host
        port = self.settings.metrics_port or 0
        text = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return self._permitted("--metrics-host", text, METRICS_WAYS, self.settings.insecure).host

    def _permitted(self, option: str, text: str, ways: str, allowed: bool) -> Address:
        try:
            address = permitted(text, ways, allowed)
        except CannotListen as error:
            raise ListenError(f"{option}: {error}") from error
        if not address.local and ways is WAYS:
            self.public.append(address)
        return address

    def add_port(self, server: grpc.aio.Server, address: Address) -> int:
        """The port that was taken. Raises RuntimeError as gRPC does."""
        if self.certificates is None:
            return server.add_insecure_port(str(address))
        return server.add_secure_port(str(address), self.certificates.credentials())

    def context(self) -> ssl.SSLContext | None:
        """For HTTP; None for plaintext."""
        return None if self.certificates is None else self.certificates.context()

    def warn(self) -> None:
        """Says in the log what is open to whoever reaches it."""
        for address in self.public:
            if self.certificates is None and self.settings.tokens is not None:
                log.warning("%s is in plaintext: tokens can be read on the way", address)
            if self.settings.tokens is None and self.settings.tls_client_ca is None:
                log.warning("%s: whoever reaches it can run programs, unasked", address)

    @property
    def renewable(self) -> bool:
        """Whether there is anything to read again."""
        return self.certificates is not None or self.settings.tokens is not None

    def renew(self, callers: Callers) -> None:
        """Reads tokens and certificates again; what cannot be used is told in the log, and the old
        stays."""
        if self.certificates is not None:
            self.certificates.reload()
        if self.settings.tokens is None:
            return
        try:
            callers.replace(tokens.load(self.settings.tokens))
        except tokens.TokensError as error:
            log.error("the old tokens stay: %s", error)
        else:
            log.info("read again: %s", self.settings.tokens)
