"""What a server can be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sandbox.tracing import SHARE
from verifier.audit.recorder import FILE_BYTES
from verifier.judge.settings import JudgeSettings
from verifier.kept.disk import FILE_BYTES as CACHE_BYTES
from verifier.limits import Limits


class ListenError(Exception):
    """It cannot, or may not, be listened as asked for; the message names the option."""


@dataclass(frozen=True)
class Settings:
    """What `touchstone serve` can be told."""

    listen: str = "127.0.0.1:50051"
    """host:port or unix:path; port 0 takes a free one."""

    sandbox: str = "embedded"
    """"embedded": slots of this process; "none": code items are INVALID; else the
    host:port of a sandbox service."""

    processes: int = 1
    """Engine processes behind the one that listens; 1: it does the work itself."""

    slots: int | None = None
    """Programs at once in the embedded sandboxes of all processes; None: one for each core."""

    math_workers: int = 1
    """Symbolic worker processes of each engine; over 99 % of math items never need one."""

    require_tier: str = "T3"
    """Refuse to start below this isolation tier ("T1", "T2", "T3")."""

    probe_share: float = 0.0
    """Of accepted programs, that are run again on another order of their tests."""

    judge: JudgeSettings | None = None
    """How a judge, a reward model or both are asked; None: items that need one are INVALID."""

    audit: Path | None = None
    """Where every verdict is written with its item (docs/audit.md); None: nowhere."""

    audit_file_bytes: int = FILE_BYTES
    """Of one file; then a new one begins."""

    cache: Path | None = None
    """The file in which results outlive a process, shared with other servers (docs/service.md);
    None: each process keeps its own in memory."""

    cache_bytes: int = CACHE_BYTES
    """Of that file; the least recently used results leave first."""

    metrics_port: int | None = None
    """HTTP port for Prometheus; None: none; 0 takes a free one."""

    metrics_host: str = "127.0.0.1"
    """Where that port is; it is in plaintext, and counts are all that it shows."""

    http: str | None = None
    """host:port or unix:path of the HTTP front on the same engine; None: none; port 0 takes a
    free one."""

    tls_certificate: Path | None = None
    """PEM file of the server's certificate; None: `listen` and `http` are in plaintext."""

    tls_key: Path | None = None
    """PEM file of its private key."""

    tls_client_ca: Path | None = None
    """PEM file of the CAs of which a client must show a certificate; None: it need show none."""

    tokens: Path | None = None
    """TOML file of the callers (docs/security.md); None: everybody may ask."""

    insecure: bool = False
    """Other machines may reach what is in plaintext; without it and TLS that is refused."""

    log_level: str = "info"
    """Lines below it are not written."""

    log_format: Literal["text", "json"] = "text"
    """Of the log on standard error (docs/observability.md)."""

    otlp: str | None = None
    """http(s)://host:port of an OpenTelemetry collector that gets traces; None: none are made."""

    trace_share: float = SHARE
    """Of calls that bring no trace of their own, that are traced."""

    grace_seconds: float = 5.0
    """What running requests get at shutdown before they are cancelled."""

    limits: Limits = field(default_factory=Limits)
