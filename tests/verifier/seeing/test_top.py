"""`touchstone top`: what two looks make, and a real server looked at."""

from __future__ import annotations

import asyncio
import http.server
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime

import pytest
from rich.console import Console
from typer.testing import CliRunner

from tests.verifier.support import math_item
from verifier.cli import app
from verifier.client import AsyncVerifierClient
from verifier.server import Server, Settings
from verifier.top import Look, NoAnswer, read, scrape, view
from verifier.top_view import drawn

BEFORE = """
# TYPE touchstone_verdicts counter
touchstone_verdicts_total{reason="match",status="OK",task="math"} 100
touchstone_verdicts_total{reason="accepted",status="OK",task="code"} 900
# TYPE touchstone_items counter
touchstone_items_total{caller="trainer"} 1000
"""

NOW = """
# TYPE touchstone_verdicts counter
touchstone_verdicts_total{reason="match",status="OK",task="math"} 160
touchstone_verdicts_total{reason="no_answer",status="OK",task="math"} 20
touchstone_verdicts_total{reason="gold_unparsable",status="INVALID",task="math"} 20
touchstone_verdicts_total{reason="accepted",status="OK",task="code"} 10
# TYPE touchstone_verdict_seconds histogram
touchstone_verdict_seconds_bucket{le="0.001",task="math"} 50
touchstone_verdict_seconds_bucket{le="0.005",task="math"} 100
touchstone_verdict_seconds_bucket{le="+Inf",task="math"} 100
touchstone_verdict_seconds_count{task="math"} 100
touchstone_verdict_seconds_sum{task="math"} 0.1
# TYPE touchstone_items counter
touchstone_items_total{caller="trainer"} 1010
touchstone_items_total{caller="evals"} 90
# TYPE touchstone_cache_lookups counter
touchstone_cache_lookups_total{result="hit",task="code"} 6
touchstone_cache_lookups_total{result="joined",task="code"} 1
touchstone_cache_lookups_total{result="miss",task="code"} 3
# TYPE touchstone_groups counter
touchstone_groups_total{task="math"} 8
# TYPE touchstone_groups_zero_variance counter
touchstone_groups_zero_variance_total{task="math"} 2
# TYPE touchstone_queue_waiting gauge
touchstone_queue_waiting{lane="sandbox"} 7
# TYPE touchstone_at_work gauge
touchstone_at_work{lane="sandbox"} 32
# TYPE touchstone_queue_oldest_seconds gauge
touchstone_queue_oldest_seconds{lane="sandbox"} 1.5
# TYPE touchstone_slots gauge
touchstone_slots 4
# TYPE touchstone_slots_busy gauge
touchstone_slots_busy 3
# TYPE touchstone_slots_busy_seconds counter
touchstone_slots_busy_seconds_total 6
# TYPE touchstone_refused counter
touchstone_refused_total{why="quota"} 4
# TYPE touchstone_judge_cost_usd counter
touchstone_judge_cost_usd_total{endpoint="a"} 0.5
# TYPE touchstone_process_restarts counter
touchstone_process_restarts_total 1
"""


def looks() -> tuple[Look, Look]:
    return replace(read(BEFORE), at=100.0), replace(read(NOW), at=102.0)


def test_two_looks_make_rates_and_shares() -> None:
    seen = view(*looks())
    math, code = seen.tasks["math"], seen.tasks["code"]
    assert math.rate == 50
    assert math.statuses == {"INVALID": 0.2, "OK": 0.8}
    assert math.unread == 0.4
    assert math.p50_seconds == 0.001
    assert math.flat == 0.25
    assert math.hits is None
    assert code.rate == 5  # started again in between: it counts from 0
    assert code.hits == 0.7
    assert seen.rate == 55
    assert seen.callers == {"evals": 45, "trainer": 5}
    assert seen.refused == {"quota": 2}
    assert (seen.slots, seen.slots_busy, seen.occupancy) == (4, 3, 0.75)
    assert (seen.judge_usd, seen.judge_usd_per_hour) == (0.5, 900)
    assert seen.restarts == 1
    lane = seen.lanes["sandbox"]
    assert (lane.waiting, lane.at_work, lane.oldest_seconds) == (7, 32, 1.5)
    json.dumps(asdict(seen), allow_nan=False)


def test_the_view_shows_it_and_no_control_characters() -> None:
    seen = replace(view(*looks()), callers={"a\x1b[2J\n": 3.0})
    console = Console(width=140, file=io.StringIO())
    console.print(drawn("127.0.0.1:9464", seen, datetime(2026, 1, 1, 12)))
    text = console.file.getvalue()
    for part in (
        "55 verdicts/s",
        "80.0 %",
        "INVALID 20.0 %",
        "25.0 %",
        "3 of 4 at work",
        "quota 2",
    ):
        assert part in text, part
    assert "a\\x1b[2J\\n 3" in text
    assert "\x1b" not in text


async def test_a_real_server() -> None:
    settings = Settings(listen="127.0.0.1:0", sandbox="none", metrics_port=0)
    async with (
        Server(settings) as server,
        AsyncVerifierClient(server.address, client="me") as client,
    ):
        before = await asyncio.to_thread(scrape, server.metrics_address)
        items = [math_item(str(n), str(4 - n % 2), str(4 + 10 * (n // 4))) for n in range(16)]
        items.append(math_item("none", ""))
        assert len(await client.verify(items)) == 17
        seen = view(before, await asyncio.to_thread(scrape, server.metrics_address))
        arguments = ["top", "--address", server.metrics_address, "--interval", "0.05", "--once"]
        runner = CliRunner()
        line = await asyncio.to_thread(runner.invoke, app, [*arguments, "--json"])
        text = await asyncio.to_thread(runner.invoke, app, arguments)
        with pytest.raises(NoAnswer, match="nothing answers there"):
            await asyncio.to_thread(scrape, server.address)  # speaks gRPC
    math = seen.tasks["math"]
    assert round(math.rate * seen.seconds) == 17
    assert math.statuses == {"OK": 1.0}
    assert round(math.unread * 17) == 1
    assert 0 < math.p50_seconds <= math.p99_seconds < 1
    assert math.flat == 0.75  # four groups of four; in one of them right and wrong answers
    assert {name: round(rate * seen.seconds) for name, rate in seen.callers.items()} == {"me": 17}
    assert seen.lanes["rules"].waited_p99_seconds is not None
    assert line.exit_code == text.exit_code == 0
    told = json.loads(line.stdout)
    assert told.keys() == asdict(seen).keys()
    assert told["tasks"].keys() == seen.tasks.keys()
    assert "math" in text.stdout


class _Other(http.server.BaseHTTPRequestHandler):
    body, status = b"", 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


@contextmanager
def other(body: bytes, status: int = 200) -> Iterator[str]:
    """Something else that answers over HTTP."""
    handler = type("Handler", (_Other,), {"body": body, "status": status})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 404, "HTTP status 404"),
        (b"<html>", 200, "is no Prometheus endpoint"),
        (b"\xff\xfe", 200, "is no Prometheus endpoint"),
        (b"# TYPE up gauge\nup 1\n", 200, "no touchstone server's"),
    ],
)
def test_what_is_no_server_of_ours_is_said(body: bytes, status: int, message: str) -> None:
    with other(body, status) as address, pytest.raises(NoAnswer, match=message):
        scrape(address)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere.invalid:1", "not an address", "[::1"])
def test_nothing_that_answers_is_said(address: str) -> None:
    result = CliRunner().invoke(app, ["top", "--once", "--address", address])
    assert result.exit_code == 2
    assert "nothing answers" in result.stderr
    assert "touchstone serve --metrics-port" in result.stderr
