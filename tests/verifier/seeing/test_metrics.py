"""What is counted, over one process and several."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from prometheus_client.metrics import Gauge, MetricWrapperBase

import verifier.audit.metrics
import verifier.judge.canary
import verifier.judge.metrics
from verifier import metrics
from verifier.top import quantile, read
from verifier.v1 import verifier_pb2 as pb


def code_verdict(*reasons: str, hit: bool = False) -> pb.Verdict:
    verdict = pb.Verdict(status=pb.Verdict.OK)
    verdict.provenance.verifier = "code"
    verdict.provenance.cache_hit = hit
    verdict.parts.add(name="accuracy", reason=pb.Part.wrong_answer)
    for reason in reasons:
        verdict.evidence.code.tests.add(reason=pb.Part.Reason.Value(reason))
    return verdict


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_kills_are_counted_by_limit_and_not_twice() -> None:
    before = {
        limit: value("touchstone_code_killed_total", limit=limit)
        for limit in ("cpu_limit", "memory_limit", "wrong_answer")
    }
    metrics.count(code_verdict("accepted", "cpu_limit", "cpu_limit", "memory_limit"))
    metrics.count(code_verdict("wrong_answer"))
    metrics.count(code_verdict("cpu_limit", hit=True))  # nothing ran
    grown = {
        limit: value("touchstone_code_killed_total", limit=limit) - old
        for limit, old in before.items()
    }
    assert grown == {"cpu_limit": 2, "memory_limit": 1, "wrong_answer": 0}


def test_latency_is_counted_by_task() -> None:
    verdict = code_verdict()
    verdict.timing.ran_ms = 70
    verdict.timing.queued_ms = 9_000  # waiting is told apart
    labels = {"task": "code"}
    before = value("touchstone_verdict_seconds_sum", **labels)
    metrics.count(verdict)
    assert round(value("touchstone_verdict_seconds_sum", **labels) - before, 6) == 0.07


def test_what_is_added_up_first_counts_the_same() -> None:
    """Histograms are filled through insides of prometheus_client: they stand as if observed."""
    verdict = pb.Verdict(status=pb.Verdict.OK, parts=[pb.Part(name="accuracy", reason=1)])
    seconds = (0.0, 0.001, 0.0011, 0.3, 299.0, 5_000.0)

    def page(task: str) -> dict[tuple[str, str], float]:
        names = (
            "touchstone_verdicts",
            "touchstone_verdict_seconds",
            "touchstone_queue_waited_seconds",
        )
        return {
            (sample.name, sample.labels.get("le", "")): sample.value
            for family in REGISTRY.collect()
            if family.name in names
            for sample in family.samples
            if task in sample.labels.values() and not sample.name.endswith("_created")
        }

    verdict.provenance.verifier = "one by one"
    tally = metrics.Tally()
    for each in seconds:
        verdict.timing.ran_ms = 1000 * each
        metrics.count(verdict)
        metrics.waited("one by one", each)
        tally.add("together", pb.Verdict.OK, pb.Part.match, each)
        tally.waited("together", each)
    assert not page("together")
    tally.flush()
    tally.flush()
    assert page("together") == pytest.approx(page("one by one"))
    assert page("together")["touchstone_queue_waited_seconds_count", ""] == len(seconds)


def test_callers_have_a_bounded_number_of_series(monkeypatch) -> None:
    monkeypatch.setattr(metrics, "_callers", set())
    labels = {metrics.caller_label(f"trainer-{number}") for number in range(1_000)}
    assert len(labels) == metrics.CALLERS + 1
    assert "other" in labels
    assert metrics.caller_label("trainer-0") == "trainer-0"
    assert metrics.caller_label("ipv4:10.0.0.1:51234") == "unnamed"


def ours() -> list[MetricWrapperBase]:
    modules = (metrics, verifier.judge.metrics, verifier.judge.canary, verifier.audit.metrics)
    return [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, MetricWrapperBase)
    ]


def test_every_metric_works_with_several_processes() -> None:
    assert len(ours()) > 20
    for metric in ours():
        assert metric._name.startswith("touchstone_")
        if isinstance(metric, Gauge):
            assert metric._multiprocess_mode.startswith("live"), metric._name


WORKER = """
import sys
from verifier import metrics
from verifier.v1 import verifier_pb2 as pb
verdict = pb.Verdict(status=pb.Verdict.OK, timing=pb.Timing(ran_ms=float(sys.argv[1])))
verdict.provenance.verifier = "math"
metrics.count(verdict)
metrics.waited("rules", 0.002)
metrics.WAITING.labels("rules").set(float(sys.argv[1]))
metrics.OLDEST.labels("rules").set(float(sys.argv[1]))
metrics.SLOTS.set(2)
print("ready", flush=True)
sys.stdin.read()
"""

FRONT = """
import json, sys
from prometheus_client import generate_latest
from verifier import metrics
pages = []
for line in sys.stdin:
    if line.strip() != "look":
        metrics.ended(int(line))
    pages.append(generate_latest(metrics.registry()).decode())
print(json.dumps(pages))
"""


def test_processes_are_added_up(tmp_path: Path) -> None:
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, number],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in ("3", "50")
    ]
    try:
        for worker in workers:
            assert worker.stdout.readline() == "ready\n"
        ended = workers[1]
        ended.kill()
        ended.wait()
        run = subprocess.run(
            [sys.executable, "-c", FRONT],
            env=environment,
            input=f"look\n{ended.pid}\n",
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
            worker.stdin.close()
            worker.stdout.close()
    both, one = (read(page) for page in json.loads(run.stdout))
    labels = (("lane", "rules"),)
    assert both.total("touchstone_verdicts_total") == 2
    assert both.of("touchstone_queue_waiting")[labels] == 53
    assert both.of("touchstone_queue_oldest_seconds")[labels] == 50
    assert both.total("touchstone_slots") == 4
    assert both.total("touchstone_verdict_seconds_count") == 2
    # Of a process that is gone the counts stay, and what it held is gone with it.
    assert one.total("touchstone_verdicts_total") == 2
    assert one.of("touchstone_queue_waiting")[labels] == 3
    assert one.of("touchstone_queue_oldest_seconds")[labels] == 3
    assert one.total("touchstone_slots") == 2


def test_quantiles_are_those_of_prometheus() -> None:
    def buckets(**counts: float) -> dict[tuple[tuple[str, str], ...], float]:
        return {
            (("le", bound.removeprefix("le").replace("_", ".")),): n for bound, n in counts.items()
        }

    assert quantile(0.5, buckets(le1=0, le2=10, leInf=10)) == 1.5
    assert quantile(0.99, buckets(le0_1=99, le1=99, leInf=100)) == 0.1
    assert quantile(0.999, buckets(le0_1=99, le1=99, leInf=100)) == 1.0
    assert quantile(0.5, buckets(le1=0, leInf=0)) is None
    assert quantile(0.5, {}) is None
