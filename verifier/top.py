"""What a server is doing, from what it tells Prometheus: two looks make one view.

    scrape -> Look (samples by name) -> View (rates and shares between two looks)

Pure but for `scrape`. A counter that is smaller than before belongs to a server that was started
again, and counts from 0.
"""

from __future__ import annotations

import http.client
import math
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

LARGEST = 16 << 20
"""Bytes of an answer: a server's has some ten thousand."""

MARK = "touchstone_"
"""What the names of a touchstone server's metrics begin with."""

Labels = tuple[tuple[str, str], ...]


class NoAnswer(Exception):
    """No touchstone server's metrics endpoint answers; the message says what does."""


@dataclass(frozen=True)
class Look:
    """The samples of one moment: by name, then by labels."""

    at: float
    """time.monotonic()"""
    samples: Mapping[str, Mapping[Labels, float]]

    def of(self, name: str) -> Mapping[Labels, float]:
        return self.samples.get(name, {})

    def total(self, name: str) -> float:
        return float(sum(self.of(name).values()))


@dataclass(frozen=True)
class Task:
    """Of the verdicts of one task between two looks."""

    rate: float
    """Verdicts a second."""
    statuses: dict[str, float]
    """Shares."""
    p50_seconds: float | None
    """Of the work, without waiting; None without a verdict."""
    p99_seconds: float | None
    unread: float
    """Share whose answer, reference or program could not be read."""
    hits: float | None
    """Share of the looks into caches of results that were answered there."""
    flat: float | None
    """Share of the groups whose rewards are all equal."""


@dataclass(frozen=True)
class Lane:
    """A queue, now; `waited_p99_seconds` between two looks."""

    waiting: int
    at_work: int
    oldest_seconds: float
    waited_p99_seconds: float | None


@dataclass(frozen=True)
class View:
    """What `touchstone top` shows. Rates are a second's, since the look before."""

    seconds: float
    """Between the looks."""
    rate: float
    """Of verdicts."""
    tasks: dict[str, Task]
    lanes: dict[str, Lane]
    slots: int
    slots_busy: int
    slots_waited_for: int
    occupancy: float | None
    """Share of the slots' time spent at work."""
    callers: dict[str, float] = field(default_factory=dict)
    """Items let in a second."""
    refused: dict[str, float] = field(default_factory=dict)
    """Calls a second, by why."""
    killed: dict[str, float] = field(default_factory=dict)
    """Runs of programs ended at a limit, a second."""
    judge_usd: float = 0.0
    """Spent since the server started."""
    judge_usd_per_hour: float = 0.0
    judge_in_flight: int = 0
    restarts: int = 0
    """Of engine processes, since the server started."""
    """Items a second answered by an identical one's verdict."""


def scrape(address: str, timeout: float = 5.0) -> Look:
    """One look at host:port. Raises NoAnswer."""
    url = f"http://{address}/metrics"
    try:
        with _DIRECT.open(url, timeout=timeout) as answer:
            raw = answer.read(LARGEST + 1)
    except urllib.error.HTTPError as error:
        raise NoAnswer(f"{url}: HTTP status {error.code}: no metrics of touchstone") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise NoAnswer(
            f"{url}: nothing answers there ({reason}); is `touchstone serve --metrics-port` up?"
        ) from error
    if len(raw) > LARGEST:
        raise NoAnswer(f"{url}: more than {LARGEST} bytes: no metrics of touchstone")
    try:
        look = read(raw.decode())
    except (ValueError, KeyError) as error:
        raise NoAnswer(f"{url}: what answers is no Prometheus endpoint: {error}") from error
    if not any(name.startswith(MARK) for name in look.samples):
        raise NoAnswer(f"{url}: a Prometheus endpoint, but no touchstone server's (no {MARK}...)")
    return look


_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Metrics are asked for directly, whatever proxy the environment names."""


def read(text: str) -> Look:
    """A look from Prometheus's text format. Raises ValueError."""
    # Not above: a server with several processes has a setting to make before it is imported.
    from prometheus_client.parser import text_string_to_metric_families

    samples: dict[str, dict[Labels, float]] = defaultdict(dict)
    for family in text_string_to_metric_families(text):
        if not family.samples and family.name.startswith("touchstone_"):
            samples[family.name] = {}
        for sample in family.samples:
            samples[sample.name][tuple(sorted(sample.labels.items()))] = sample.value
    return Look(time.monotonic(), dict(samples))


def view(before: Look, now: Look) -> View:
    """What happened between two looks, and how things stand at the second."""
    seconds = max(now.at - before.at, 1e-9)
    change = _Change(before, now)
    verdicts = change.of("touchstone_verdicts_total")
    tasks = sorted({dict(labels)["task"] for labels in verdicts})
    slots = now.total("touchstone_slots")
    busy_seconds = sum(change.of("touchstone_slots_busy_seconds_total").values())
    cost = "touchstone_judge_cost_usd_total"
    return View(
        seconds=seconds,
        rate=sum(verdicts.values()) / seconds,
        tasks={task: _task(task, change, seconds) for task in tasks},
        lanes={name: _lane(name, change, now) for name in _lanes(now)},
        slots=round(slots),
        slots_busy=round(now.total("touchstone_slots_busy")),
        slots_waited_for=round(now.total("touchstone_slots_waited_for")),
        occupancy=min(1.0, busy_seconds / (slots * seconds)) if slots else None,
        callers=_rates(change, "touchstone_items_total", "caller", seconds),
        refused=_rates(change, "touchstone_refused_total", "why", seconds),
        killed=_rates(change, "touchstone_code_killed_total", "limit", seconds),
        judge_usd=now.total(cost),
        judge_usd_per_hour=3600 * sum(change.of(cost).values()) / seconds,
        judge_in_flight=round(now.total("touchstone_judge_in_flight")),
        restarts=round(now.total("touchstone_process_restarts_total")),
    )


class _Change:
    """What counters have grown by."""

    def __init__(self, before: Look, now: Look) -> None:
        self._before, self._now = before, now

    def of(self, name: str, **wanted: str) -> dict[Labels, float]:
        """By labels, of the samples with these."""
        before = self._before.of(name)
        grown = {}
        for labels, value in self._now.of(name).items():
            if wanted.items() <= dict(labels).items():
                old = before.get(labels, 0.0)
                grown[labels] = value - old if value >= old else value
        return grown


UNREAD = frozenset({"no_answer", "gold_unparsable", "no_program"})
"""Reasons of answers, references and programs that could not be read."""


def _task(task: str, change: _Change, seconds: float) -> Task:
    statuses: dict[str, float] = defaultdict(float)
    unread = 0.0
    for labels, count in change.of("touchstone_verdicts_total", task=task).items():
        named = dict(labels)
        statuses[named["status"]] += count
        unread += count if named["reason"] in UNREAD else 0
    total = sum(statuses.values())
    buckets = change.of("touchstone_verdict_seconds_bucket", task=task)
    looks: dict[str, float] = defaultdict(float)
    for labels, count in change.of("touchstone_cache_lookups_total", task=task).items():
        looks[dict(labels)["result"]] += count
    looked = sum(looks.values())
    groups = sum(change.of("touchstone_groups_total", task=task).values())
    flat = sum(change.of("touchstone_groups_zero_variance_total", task=task).values())
    return Task(
        rate=total / seconds,
        statuses={name: count / total for name, count in sorted(statuses.items()) if count},
        p50_seconds=quantile(0.5, buckets),
        p99_seconds=quantile(0.99, buckets),
        unread=unread / total if total else 0.0,
        hits=1 - looks["miss"] / looked if looked else None,
        flat=flat / groups if groups else None,
    )


def _lanes(now: Look) -> list[str]:
    names = {
        dict(labels)["lane"]
        for name in ("touchstone_queue_waiting", "touchstone_at_work")
        for labels in now.of(name)
    }
    return sorted(names)


def _lane(name: str, change: _Change, now: Look) -> Lane:
    def gauge(metric: str) -> float:
        return now.of(metric).get((("lane", name),), 0.0)

    return Lane(
        waiting=round(gauge("touchstone_queue_waiting")),
        at_work=round(gauge("touchstone_at_work")),
        oldest_seconds=gauge("touchstone_queue_oldest_seconds"),
        waited_p99_seconds=quantile(
            0.99, change.of("touchstone_queue_waited_seconds_bucket", lane=name)
        ),
    )


def _rates(change: _Change, name: str, label: str, seconds: float) -> dict[str, float]:
    """Those above 0, the largest first."""
    grown = change.of(name).items()
    found = {dict(labels)[label]: count / seconds for labels, count in grown if count}
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))


def quantile(share: float, buckets: Mapping[Labels, float]) -> float | None:
    """As Prometheus's histogram_quantile, over cumulative buckets with their label `le`; of the
    last, open bucket its lower bound is told. None where nothing was counted."""
    bounds = sorted(_bounds(buckets.items()))
    if not bounds or not bounds[-1][1]:
        return None
    rank = share * bounds[-1][1]
    below, bound = 0.0, 0.0
    for upper, count in bounds:
        if count >= rank and count > below:
            if math.isinf(upper):
                return bound
            return bound + (upper - bound) * (rank - below) / (count - below)
        below, bound = count, upper
    return bound


def _bounds(buckets: Iterable[tuple[Labels, float]]) -> Iterator[tuple[float, float]]:
    for labels, count in buckets:
        yield float(dict(labels)["le"]), count
