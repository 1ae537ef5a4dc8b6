"""Traces from a client's span to the slot that ran the program, over real servers and OTLP."""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("opentelemetry.sdk")
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Tracer, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import format_trace_id

from sandbox import tracing
from tests.verifier.seeing.support import Collector, Running, chain, collecting, started
from tests.verifier.support import ADD, code_item, math_item, wait_for
from verifier.client import VerifierClient
from verifier.top import scrape, view

LISTEN = ("--listen", "127.0.0.1:0")


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


@pytest.fixture(scope="module")
def server(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    traces = ("--otlp", f"http://{collector.address}", "--trace-share", "0")
    folder = tmp_path_factory.mktemp("server")
    more = ("--processes", "2", "--slots", "2", "--metrics-port", "0", "--http", "127.0.0.1:0")
    with started(folder, "verifier.cli", *LISTEN, *traces, *more) as running:
        yield running


@pytest.fixture(scope="module")
def tracer(collector: Collector) -> Iterator[Tracer]:
    """A trainer's own."""
    provider = TracerProvider(resource=Resource({"service.name": "trainer"}))
    exporter = OTLPSpanExporter(endpoint=f"http://{collector.address}")
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider.get_tracer("trainer")
    provider.shutdown()


def test_one_trace_from_the_client_to_the_slot(
    server: Running, collector: Collector, tracer: Tracer
) -> None:
    items = [math_item("m", "4"), code_item("c\n\x1b[2J", ADD), math_item("bad", "4", gold="")]
    with VerifierClient(server.address) as client, tracer.start_as_current_span("step") as step:
        assert [one.status for one in client.verify(items)] == [1, 1, 2]
    trace = format_trace_id(step.get_span_context().trace_id)
    spans = collector.trace(trace, 10)
    assert Counter((one.service, one.name) for one in spans) == {
        ("trainer", "step"): 1,
        ("touchstone", "VerifyBatch"): 1,
        ("touchstone", "queue"): 3,
        ("touchstone", "verify"): 3,
        ("touchstone", "slot"): 2,  # the first test alone, then the others
    }
    slot = next(one for one in spans if one.name == "slot")
    assert chain(spans, slot) == ["slot", "verify", "VerifyBatch", "step"]
    assert slot.attributes["slot"] in range(64)
    assert slot.attributes["language"] == "python"
    assert slot.attributes["status"] == "OK"
    verified = {one.attributes["item.id"]: one for one in spans if one.name == "verify"}
    assert {
        name: (one.attributes["item.task"], one.attributes["verdict.status"])
        for name, one in verified.items()
    } == {"m": ("math", "OK"), "c\n\x1b[2J": ("code", "OK"), "bad": ("", "INVALID")}
    assert verified["m"].attributes["verdict.reward"] == 1.0
    assert verified["m"].attributes["verdict.reason"] == "match"
    assert "gold" in str(verified["bad"].attributes["verdict.message"])
    for one in spans:
        assert one.span.start_time_unix_nano <= one.span.end_time_unix_nano
    for one in verified.values():
        assert chain(spans, one)[1:] == ["VerifyBatch", "step"]


def test_a_request_over_http(server: Running, collector: Collector) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    request = urllib.request.Request(
        f"{server.http}/v1/verify",
        json.dumps({"id": "h", "response": "\\boxed{4}", "math": {"gold": ["4"]}}).encode(),
        {
            "content-type": "application/json",
            "traceparent": f"00-{trace}-00f067aa0ba902b7-01",
        },
    )
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["reward"] == 1.0
    spans = collector.trace(trace, 3)
    assert sorted(one.name for one in spans) == ["POST", "queue", "verify"]
    (post,) = (one for one in spans if one.name == "POST")
    assert post.span.parent_span_id.hex() == "00f067aa0ba902b7"
    assert post.attributes["url.path"] == "/v1/verify"


def test_what_is_not_sampled_makes_no_span(server: Running, collector: Collector) -> None:
    before = len(collector.seen)
    with VerifierClient(server.address) as client:  # no trace of its own, and a share of 0
        client.verify([math_item("m", "4"), code_item("c", ADD)])
    request = urllib.request.Request(
        f"{server.http}/v1/verify",
        json.dumps({"id": "h", "response": "\\boxed{4}", "math": {"gold": ["4"]}}).encode(),
        {
            "content-type": "application/json",
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-00",
        },
    )
    urllib.request.urlopen(request).close()
    time.sleep(1.5 * tracing.SEND_SECONDS)
    assert len(collector.seen) == before


def test_engine_processes_count_together(server: Running) -> None:
    before = scrape(server.metrics)
    items = [code_item(str(n), f"{ADD}# {n}\n") for n in range(6)]
    items += [math_item(str(n), "4", str(n)) for n in range(60)]
    with VerifierClient(server.address, client="me") as client:
        client.verify(items)
    # Slots are looked at once a second.
    wait_for(lambda: view(before, scrape(server.metrics)).occupancy)
    seen = view(before, scrape(server.metrics))
    assert (seen.slots, seen.slots_busy) == (2, 0)
    rates = {
        name: round(task.rate * seen.seconds) for name, task in seen.tasks.items() if task.rate
    }
    assert rates == {"code": 6, "math": 60}
    waited = {
        dict(labels)["lane"]: count
        - before.of("touchstone_queue_waited_seconds_count").get(labels, 0)
        for labels, count in scrape(server.metrics)
        .of("touchstone_queue_waited_seconds_count")
        .items()
    }
    assert sum(waited.values()) == 66  # each item once, where its work began
    assert waited["sandbox"] == 6
    assert {lane.at_work for lane in seen.lanes.values()} == {0}
    assert seen.callers == {"me": seen.rate}


def test_a_sandbox_elsewhere_goes_on_with_the_trace(
    collector: Collector, tracer: Tracer, tmp_path: Path
) -> None:
    traces = ("--otlp", f"http://{collector.address}")
    with (
        started(tmp_path / "sandbox", "sandbox.cli", *LISTEN, *traces, "--slots", "1") as sandbox,
        started(
            tmp_path / "server", "verifier.cli", *LISTEN, *traces, "--sandbox", sandbox.address
        ) as server,
        VerifierClient(server.address) as client,
    ):
        with tracer.start_as_current_span("step") as step:
            assert client.verify([code_item("c", ADD)])[0].reward == 1.0
        # What was not sent yet is sent at the end.
        server.stop()
        sandbox.stop()
    trace = format_trace_id(step.get_span_context().trace_id)
    spans = collector.trace(trace, 8, 0.1)
    slot = next(one for one in spans if one.name == "slot")
    assert slot.service == "touchstone-sandbox"
    assert chain(spans, slot) == ["slot", "Run", "verify", "VerifyBatch", "step"]


def test_a_collector_that_is_away_costs_no_verdict_and_no_time(tmp_path: Path) -> None:
    arguments = (*LISTEN, "--sandbox", "none", "--otlp", "http://127.0.0.1:1", "--trace-share", "1")
    with started(tmp_path, "verifier.cli", *arguments) as server:
        with VerifierClient(server.address) as client:
            verdicts = client.verify([math_item(str(n), "4") for n in range(100)])
        assert [one.reward for one in verdicts] == [1.0] * 100
        server.find("(Failed to export traces|Transient error)")
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 8
        assert server.process.returncode == 0
    assert server.err.read_text().count("Transient error") <= 1


@pytest.mark.parametrize("address", ["127.0.0.1:4317", "http://", "grpc://host:4317"])
def test_what_is_no_collector_is_refused(address: str) -> None:
    with pytest.raises(tracing.CannotTrace, match="http://host:port or https://host:port, got"):
        tracing.start(address)


def test_off_nothing_is_made() -> None:
    assert not tracing.on()
    assert tracing.inject() == {}
    with tracing.span("x", a=1) as one, tracing.span("y") as other:
        assert one is other
    assert tracing.calls() == ()


def test_without_opentelemetry_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(
        tracing.CannotTrace, match=r"opentelemetry\.sdk\.trace is missing.*\[otel\]"
    ):
        tracing.start("http://127.0.0.1:4317")
    assert not tracing.on()
