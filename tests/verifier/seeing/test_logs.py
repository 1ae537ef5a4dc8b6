"""Every line says whose it is, and nothing in a text makes a line of its own."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Iterator

import grpc
import pytest

from tests.verifier.support import math_item
from verifier import engine, logs
from verifier.logs import about, asked, carried, carried_on, configure
from verifier.server import Server, Settings
from verifier.v1 import verifier_pb2 as pb
from verifier.v1 import verifier_pb2_grpc as rpc

HOSTILE = "a\n2026-01-01 INFO touchstone all is well\r\x1b[2J\u2028b\u0085\x00\ud83d"
log = logging.getLogger("test")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.go_on({})
    yield
    logs.go_on({})
    root.handlers[:] = handlers
    root.setLevel(level)


def failing() -> None:
    raise ValueError(HOSTILE)


@pytest.mark.parametrize("form", logs.FORMATS)
def test_nothing_breaks_a_line(capsys: pytest.CaptureFixture[str], form: logs.Format) -> None:
    configure("INFO", form)
    item = pb.Item(id=HOSTILE[:-1], math=pb.MathTask(gold=["1"]))
    asked(HOSTILE, {"x-request-id": HOSTILE})
    with about(item):
        log.warning("of %s", HOSTILE)
        try:
            failing()
        except ValueError:
            log.exception("of %r", item.id)
    text = capsys.readouterr().err
    assert not [c for c in text if not c.isprintable() and c != "\n"]
    lines = text.splitlines()
    if form == "json":
        assert len(lines) == 2
        first, second = map(json.loads, lines)
        assert first["message"] == f"of {HOSTILE}"
        assert first["item"] == second["item"] == HOSTILE[:-1]
        assert first["task"] == "math"
        assert first["request"] == first["caller"] == HOSTILE
        assert first["level"] == "WARNING"
        assert first["logger"] == "test"
        assert first["time"].startswith("20")
        assert "failing" in second["exception"]
    else:
        heads = [line for line in lines if not line.startswith("  ")]
        assert len(heads) == 2
        assert all(" task='math'" in line for line in heads)
        assert any("ValueError: a" in line for line in lines)
        assert "  2026-01-01 INFO touchstone all is well\\r" in text  # indented: no line of ours


def test_a_line_is_about_what_its_task_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "json")

    async def call(name: str) -> None:
        asked(name)
        await asyncio.gather(*(work(name, number) for number in range(3)))
        log.info("call %s", name)

    async def work(name: str, number: int) -> None:
        with about(math_item(f"{name}-{number}", "4")):
            await asyncio.sleep(0)
            log.info("work %s-%d", name, number)

    async def all_of_them() -> None:
        await asyncio.gather(*(call(name) for name in "abc"))
        log.info("nobody's")

    asyncio.run(all_of_them())
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert len(lines) == 13
    requests = {line["caller"]: line["request"] for line in lines if "caller" in line}
    assert len(set(requests.values())) == 3
    for line in lines:
        kind, _, what = line["message"].partition(" ")
        if kind == "work":
            assert line["item"] == what
            assert line["caller"] == what[0]
        elif kind == "call":
            assert line["caller"] == what
            assert "item" not in line
        else:
            assert not {"item", "task", "request", "caller", "trace"} & line.keys()
        if "request" in line:
            assert line["request"] == requests[line["caller"]]


def test_an_id_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "json")
    with about(pb.Item(id="x" * 100_000)):
        log.info("hello")
    assert len(json.loads(capsys.readouterr().err)["item"]) == logs.ID_CHARS


def test_another_process_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "json")
    assert carried() == {}

    async def front() -> dict[str, str]:
        asked("trainer", {"x-request-id": "r1"})
        return carried()

    with carried_on(asyncio.run(front())):
        log.info("inside")
    log.info("outside")
    inside, outside = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (inside["request"], inside["caller"]) == ("r1", "trainer")
    assert "request" not in outside


async def test_defects_name_item_and_request(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(*arguments: object) -> None:
        raise ZeroDivisionError("ours")

    configure("INFO", "json")
    monkeypatch.setattr(engine, "score_parts", defect)
    at_once = math_item("at once\n", "4")
    beside = math_item("beside\n", "4")
    beside.response = "x" * (engine.LONG_TEXT + 1)  # has a task of its own
    async with (
        Server(Settings(listen="127.0.0.1:0", sandbox="none")) as server,
        grpc.aio.insecure_channel(server.address) as channel,
    ):
        metadata = (("x-request-id", "step 7"), ("touchstone-client", "trainer"))
        batch = pb.Batch(items=[at_once, beside])
        answers = rpc.VerifierStub(channel).VerifyBatch(batch, metadata=metadata)
        statuses = [one.verdict.status async for some in answers for one in some.verdicts]
    assert statuses == [pb.Verdict.INTERNAL] * 2
    lines = map(json.loads, capsys.readouterr().err.splitlines())
    defects = {line["item"]: line for line in lines if "exception" in line}
    assert defects.keys() == {"at once\n", "beside\n"}
    for line in defects.values():
        assert line["exception"].endswith("ZeroDivisionError: ours")
        assert (line["task"], line["request"], line["caller"]) == ("math", "step 7", "trainer")
        assert line["logger"] == "verifier.engine"


def test_standard_error_is_where_it_goes(capsys: pytest.CaptureFixture[str]) -> None:
    configure("WARNING", "text")
    log.info("not this")
    log.warning("this")
    seen = capsys.readouterr()
    assert not seen.out
    assert seen.err.endswith(" WARNING test this\n")
    assert seen.err.count("\n") == 1
    assert logging.getLogger().handlers[0].stream is sys.stderr
