"""What the service has done and holds, for Prometheus.

Served over HTTP by `touchstone serve --metrics-port`; names and labels are part of the contract
(docs/observability.md). With several processes (PROMETHEUS_MULTIPROC_DIR is set before this is
imported) each writes its own values into that folder and `registry` adds them up; that is why a
gauge names its `multiprocess_mode`, and why none is computed when it is read.

Invariant: the number of time series is bounded. Labels take values of ours (tasks, statuses,
lanes), never texts of clients; `caller_label` bounds the one exception.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from functools import lru_cache
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    multiprocess,
    start_http_server,
)

from verifier.v1 import verifier_pb2 as pb

# 1 ms is what rules take; 300 s what a judge with retries may.
SECONDS = (0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

VERDICTS = Counter(
    "touchstone_verdicts",
    "Verdicts given, by task, status and the reason of the accuracy part.",
    ("task", "status", "reason"),
)
LATENCY = Histogram(
    "touchstone_verdict_seconds",
    "From the start of an item's work to its verdict without waiting for a slot, by task.",
    ("task",),
    buckets=SECONDS,
)
FLAGS = Counter("touchstone_code_flags", "Flags raised on programs, by kind.", ("kind",))
PROBED = Counter("touchstone_code_probed", "Accepted programs run again in another order.")
KILLED = Counter(
    "touchstone_code_killed", "Runs of programs ended at a limit, by limit.", ("limit",)
)
CACHE_HITS = Counter("touchstone_cache_hits", "Verdicts taken from a cache, by task.", ("task",))
CACHE_LOOKUPS = Counter(
    "touchstone_cache_lookups",
    "Looks into the caches of results, by task and result: hit, miss, or joined (the same work "
    "was being done for another item).",
    ("task", "result"),
)

WAITED = Histogram(
    "touchstone_queue_waited_seconds",
    "From an item's arrival to the start of its work, by lane.",
    ("lane",),
    buckets=SECONDS,
)
WAITING = Gauge(
    "touchstone_queue_waiting", "Items that wait, by lane.", ("lane",), multiprocess_mode="livesum"
)
AT_WORK = Gauge(
    "touchstone_at_work", "Items at work, by lane.", ("lane",), multiprocess_mode="livesum"
)
IN_FLIGHT = Gauge(
    "touchstone_items_in_flight",
    "Items let in whose verdicts are not delivered.",
    multiprocess_mode="livesum",
)
OLDEST = Gauge(
    "touchstone_queue_oldest_seconds",
    "Age of the item that waits longest, by lane; 0: none waits.",
    ("lane",),
    multiprocess_mode="livemax",
)
REFUSED = Counter(
    "touchstone_refused",
    "Calls refused, by why: items_in_flight, quota, unauthenticated, ...",
    ("why",),
)
RESTARTS = Counter(
    "touchstone_process_restarts", "Engine processes started again after they ended."
)
CAME = Counter("touchstone_items", "Items let in, by caller.", ("caller",))

SLOTS = Gauge("touchstone_slots", "Slots of the embedded sandboxes.", multiprocess_mode="livesum")
SLOTS_BUSY = Gauge("touchstone_slots_busy", "Of them, those at work.", multiprocess_mode="livesum")
SLOT_SECONDS = Counter("touchstone_slots_busy_seconds", "Time that slots were at work.")
SLOTS_WAITED_FOR = Gauge(
    "touchstone_slots_waited_for", "Programs that wait for a slot.", multiprocess_mode="livesum"
)
WORKERS_KILLED = Counter(
    "touchstone_math_workers_killed",
    "Symbolic workers that were ended, or died, over an item, by why: timeout, stalled, died, "
    "cancelled.",
    ("why",),
)

GROUPS = Counter(
    "touchstone_groups",
    "Groups of at least two rewards for one problem within a batch, by task.",
    ("task",),
)
FLAT_GROUPS = Counter(
    "touchstone_groups_zero_variance",
    "Of them, those whose rewards are all equal, by task.",
    ("task",),
)

CALLERS = 64
"""Callers with a series of their own; the others share "other"."""

_callers: set[str] = set()


@lru_cache(maxsize=4096)
def _children(
    task: str, status: pb.Verdict.Status.ValueType, reason: pb.Part.Reason.ValueType
) -> tuple[Counter, Histogram]:
    names = pb.Verdict.Status.Name(status), pb.Part.Reason.Name(reason)
    return VERDICTS.labels(task, *names), LATENCY.labels(task)


@lru_cache(maxsize=64)
def _waited(lane: str) -> Histogram:
    return WAITED.labels(lane)


def count(verdict: pb.Verdict) -> None:
    """Counts one verdict that is about to be delivered."""
    task = verdict.provenance.verifier or "none"
    reason: pb.Part.Reason.ValueType = pb.Part.UNSPECIFIED
    for part in verdict.parts:
        if part.name == "accuracy":
            reason = part.reason
            break
    verdicts, latency = _children(task, verdict.status, reason)
    verdicts.inc()
    latency.observe(verdict.timing.ran_ms / 1000)
    hit = verdict.provenance.cache_hit
    if hit:
        CACHE_HITS.labels(task).inc()
    if verdict.evidence.HasField("code"):
        code = verdict.evidence.code
        for flag in code.flags:
            FLAGS.labels(pb.Flag.Kind.Name(flag.kind)).inc()
        if code.probed:
            PROBED.inc()
        if not hit:
            for test in code.tests:
                if test.reason in _KILLING:
                    KILLED.labels(pb.Part.Reason.Name(test.reason)).inc()


class Tally:
    """Verdicts of rules, added up before they are counted: that takes a fifth of the time, and at
    tens of thousands a second it is a part of the whole that can be seen."""

    def __init__(self) -> None:
        self._counts: dict[_Key, int] = {}
        self._seconds: dict[_Key, float] = {}
        self._waits: dict[tuple[str, int], list[float]] = {}

    def add(
        self,
        task: str,
        status: pb.Verdict.Status.ValueType,
        reason: pb.Part.Reason.ValueType,
        seconds: float,
    ) -> None:
        key = task, status, reason, bisect_left(SECONDS, seconds)
        self._counts[key] = self._counts.get(key, 0) + 1
        self._seconds[key] = self._seconds.get(key, 0.0) + seconds

    def waited(self, lane: str, seconds: float) -> None:
        """As `waited` of this module."""
        key = lane, bisect_left(SECONDS, seconds)
        if key in self._waits:
            self._waits[key].append(seconds)
        else:
            self._waits[key] = [seconds]

    def flush(self) -> None:
        """Counts what was added."""
        for (lane, bucket), waits in self._waits.items():
            histogram = _waited(lane)
            histogram._sum.inc(sum(waits))
            histogram._buckets[bucket].inc(len(waits))
        self._waits.clear()
        for (task, status, reason, bucket), count in self._counts.items():
            verdicts, latency = _children(task, status, reason)
            verdicts.inc(count)
            # A histogram offers no way of its own to count several.
            latency._sum.inc(self._seconds[task, status, reason, bucket])
            latency._buckets[bucket].inc(count)
        self._counts.clear()
        self._seconds.clear()


_Key = tuple[str, pb.Verdict.Status.ValueType, pb.Part.Reason.ValueType, int]

TALLY = Tally()
"""Of this process; flushed by the schedule after each turn."""

_KILLING = frozenset(
    {pb.Part.cpu_limit, pb.Part.wall_limit, pb.Part.memory_limit, pb.Part.output_limit}
)


def waited(lane: str, seconds: float) -> None:
    """Counts one item that leaves the queue of its lane after so many seconds."""
    _waited(lane).observe(seconds)


def came(caller: str, items: int) -> None:
    """Counts items that were let in, once for a call."""
    CAME.labels(caller_label(caller)).inc(items)


def caller_label(name: str) -> str:
    """A caller's name where it may be a label: connections are "unnamed", and only the first
    CALLERS names of this process have series of their own."""
    if name.startswith(("ipv4:", "ipv6:", "unix:")):
        return "unnamed"
    if name not in _callers:
        if len(_callers) >= CALLERS:
            return "other"
        _callers.add(name)
    return name


def registry() -> CollectorRegistry:
    """What the metrics endpoint serves: this process's values, or those of all processes that
    share PROMETHEUS_MULTIPROC_DIR."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    shared = CollectorRegistry()
    multiprocess.MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared


_served = False


def serve(port: int, host: str) -> tuple[WSGIServer, Thread]:
    """Answers Prometheus in a thread. Raises OSError."""
    global _served
    started = start_http_server(port, host, registry())
    _served = True
    return started


def served() -> bool:
    """Whether anybody may look: what takes time for each item is counted only then."""
    return _served


def ended(pid: int) -> None:
    """Forgets the gauges of a process that is gone; its counts stay."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
