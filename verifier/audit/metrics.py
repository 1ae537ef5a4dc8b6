"""What becomes of the records of this process, for Prometheus; names and labels are part of the
contract."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

WRITTEN = Counter("touchstone_audit_written", "Records that stand in a file.")
DROPPED = Counter(
    "touchstone_audit_dropped",
    "Records that stand in none, by reason: full, writer, disk or closed.",
    ("reason",),
)
QUEUED = Gauge(
    "touchstone_audit_queued_bytes",
    "Records that wait for the writer, in bytes.",
    multiprocess_mode="livesum",
)
FAILING = Gauge(
    "touchstone_audit_failing",
    "1 while the file cannot be written, else 0.",
    multiprocess_mode="livemax",
)
