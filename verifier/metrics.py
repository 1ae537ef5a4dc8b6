"""What this process has verified, for Prometheus.

Served over HTTP by `touchstone serve --metrics-port`; names and labels are part of the contract.
"""

from __future__ import annotations

from functools import lru_cache

from prometheus_client import Counter

from verifier.v1 import verifier_pb2 as pb

VERDICTS = Counter(
    "touchstone_verdicts",
    "Verdicts given, by task, status and the reason of the accuracy part.",
    ("task", "status", "reason"),
)
FLAGS = Counter("touchstone_code_flags", "Flags raised on programs, by kind.", ("kind",))
PROBED = Counter("touchstone_code_probed", "Accepted programs run again in another order.")
CACHE_HITS = Counter("touchstone_cache_hits", "Verdicts taken from a cache, by task.", ("task",))


@lru_cache(maxsize=4096)
def _verdicts(
    task: str, status: pb.Verdict.Status.ValueType, reason: pb.Part.Reason.ValueType
) -> Counter:
    return VERDICTS.labels(task, pb.Verdict.Status.Name(status), pb.Part.Reason.Name(reason))


def count(verdict: pb.Verdict) -> None:
    """Counts one verdict that is about to be delivered."""
    task = verdict.provenance.verifier or "none"
    reasons = (part.reason for part in verdict.parts if part.name == "accuracy")
    reason = next(reasons, pb.Part.UNSPECIFIED)
    _verdicts(task, verdict.status, reason).inc()
    if verdict.evidence.HasField("code"):
        code = verdict.evidence.code
        for flag in code.flags:
            FLAGS.labels(pb.Flag.Kind.Name(flag.kind)).inc()
        if code.probed:
            PROBED.inc()
        if verdict.provenance.cache_hit:
            CACHE_HITS.labels(task).inc()
