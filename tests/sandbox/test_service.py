"""The gRPC service, over a real socket."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from sandbox import limits
from sandbox.client import EmbeddedSandbox, QueueFull, RemoteSandbox, SandboxUnavailable
from sandbox.languages import NAMES
from sandbox.service import SERVICE, Server
from sandbox.v1 import sandbox_pb2 as pb
from sandbox.v1 import sandbox_pb2_grpc as rpc
from tests.sandbox.conftest import Outcome, calls, inputs
from tests.sandbox.test_lifecycle import descendants, jails, until

pytestmark = pytest.mark.alone
# Of tests that share the sandbox.
module_loop = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(sandbox: EmbeddedSandbox) -> AsyncIterator[Server]:
    started = await Server.start(sandbox, "127.0.0.1:0")
    yield started
    await started.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def channel(server: Server) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(
        f"127.0.0.1:{server.port}", options=[("grpc.max_receive_message_length", -1)]
    ) as opened:
        yield opened


@module_loop
async def test_run_and_describe_through_the_client(server: Server) -> None:
    remote = RemoteSandbox(f"127.0.0.1:{server.port}")
    result = await remote.run(inputs("print(int(input()) * 2)", b"4", id="a"))
    assert (result.id, result.outcomes[0].stdout) == ("a", b"8\n")
    described = await remote.describe()
    assert (described.tier, described.slots) == (pb.T3, 2)
    assert described.languages[0].toolchain.startswith("CPython")
    assert {language.name for language in described.languages} == set(NAMES)
    assert all(bool(one.toolchain) != bool(one.missing) for one in described.languages)
    assert described.default_limits.cpu_seconds == limits.DEFAULT_CPU_SECONDS
    assert described.max_limits.memory_bytes == limits.MAX_MEMORY_BYTES
    assert (described.max_source_bytes, described.max_runs) == (
        limits.MAX_SOURCE_BYTES,
        limits.MAX_RUNS,
    )
    assert all(mechanism.name for mechanism in described.mechanisms)
    await remote.close()


@module_loop
async def test_batch(channel: grpc.aio.Channel) -> None:
    requests = [inputs("print(input())", b"%d" % i, id=str(i)) for i in range(30)]
    requests[7] = pb.RunRequest(id="7", language="cobol")
    seen: dict[int, pb.RunResult] = {}
    async for message in rpc.SandboxStub(channel).RunBatch(pb.RunBatchRequest(requests=requests)):
        for indexed in message.results:
            assert indexed.index not in seen
            seen[indexed.index] = indexed.result
    assert sorted(seen) == list(range(30))
    for index, result in seen.items():
        assert result.id == str(index)
        if index == 7:
            assert result.status == pb.RunResult.INVALID
        else:
            assert result.outcomes[0].stdout == b"%d\n" % index


@module_loop
async def test_stream_counts_over_all_its_batches(channel: grpc.aio.Channel) -> None:
    async def batches() -> AsyncIterator[pb.RunBatchRequest]:
        for start in range(0, 30, 10):
            yield pb.RunBatchRequest(
                requests=[
                    calls("def f(x): return x", "f", [str(i)], id=str(i))
                    for i in range(start, start + 10)
                ]
            )
            await asyncio.sleep(0.05)

    seen = {}
    async for message in rpc.SandboxStub(channel).RunStream(batches()):
        for indexed in message.results:
            seen[indexed.index] = indexed.result.outcomes[0].value_json
    assert seen == {i: str(i) for i in range(30)}


@module_loop
async def test_empty_batch_and_stream(channel: grpc.aio.Channel) -> None:
    async def nothing() -> AsyncIterator[pb.RunBatchRequest]:
        return
        yield

    stub = rpc.SandboxStub(channel)
    assert [m async for m in stub.RunBatch(pb.RunBatchRequest())] == []
    assert [m async for m in stub.RunStream(nothing())] == []


@module_loop
async def test_disconnecting_stops_the_program(server: Server, channel: grpc.aio.Channel) -> None:
    call = rpc.SandboxStub(channel).RunBatch(
        pb.RunBatchRequest(requests=[inputs("import time; time.sleep(60)") for _ in range(2)])
    )
    reading = asyncio.create_task(call.read())

    def working() -> set[int]:
        return {jail for jail in jails(os.getpid()) if len(descendants(jail)) == 3}

    assert await until(lambda: len(working()) == 2, 10)
    old = working()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await until(lambda: not old & set(jails(os.getpid())), 3)


async def test_full_queue_is_resource_exhausted() -> None:
    sandbox = await EmbeddedSandbox.start(slots=1, max_queued=0)
    server = await Server.start(sandbox, "127.0.0.1:0")
    remote = RemoteSandbox(f"127.0.0.1:{server.port}")
    running = asyncio.create_task(remote.run(inputs("import time; time.sleep(2)")))
    assert await until(lambda: sandbox.pool.room == 0, 20)
    with pytest.raises(QueueFull, match="max_queued"):
        await remote.run(inputs("pass"))
    assert (await running).status == pb.RunResult.OK
    await remote.close()
    await server.stop()


@module_loop
async def test_health_and_reflection(channel: grpc.aio.Channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    for name in ("", SERVICE):
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_nobody_there() -> None:
    remote = RemoteSandbox("127.0.0.1:1")
    with pytest.raises(SandboxUnavailable, match=r"127\.0\.0\.1:1"):
        await remote.run(inputs("pass"))
    await remote.close()


@module_loop
@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (pb.RunRequest(language="cobol", source="x"), ["language", "python", "'cobol'"]),
        (inputs(""), ["source", "empty"]),
        (inputs("x" * (limits.MAX_SOURCE_BYTES + 1)), ["source", "1048576", "1048577"]),
        (inputs("x", prelude="y" * (limits.MAX_SOURCE_BYTES + 5)), ["prelude", "1048581"]),
        (
            pb.RunRequest(language="python", source="x"),
            ["work", "inputs, calls, snippets, commands and dialogues", "none"],
        ),
        (
            pb.RunRequest(language="python", source="x", inputs=pb.Inputs()),
            ["inputs.stdin", "from 1 to 10000", "got 0"],
        ),
        (inputs("x", *[b""] * 10_001), ["inputs.stdin", "10000", "10001"]),
        (
            inputs("x", limits=pb.Limits(cpu_seconds=1e9)),
            ["limits.cpu_seconds", "120", "1000000000"],
        ),
        (inputs("x", limits=pb.Limits(cpu_seconds=-1)), ["limits.cpu_seconds", "0.01", "-1"]),
        (inputs("x", limits=pb.Limits(cpu_seconds=float("nan"))), ["limits.cpu_seconds", "nan"]),
        (inputs("x", limits=pb.Limits(wall_seconds=1e4)), ["limits.wall_seconds", "600", "10000"]),
        (inputs("x", limits=pb.Limits(memory_bytes=1)), ["limits.memory_bytes", "got 1"]),
        (inputs("x", limits=pb.Limits(output_bytes=1 << 40)), ["limits.output_bytes"]),
        (inputs("x", limits=pb.Limits(processes=0)), ["limits.processes", "got 0"]),
        (calls("x", "", ["1"]), ["calls.entry_point", "''"]),
        (calls("x", "a.b.c", ["1"]), ["calls.entry_point", "'a.b.c'"]),
        (calls("x", "f; g", ["1"]), ["calls.entry_point", "'f; g'"]),
        (calls("x", "f"), ["calls.arguments", "got 0"]),
        (calls("x", "f", ["1"], ["1", "{"]), ["calls.arguments[1].args_json[1]", "'{'"]),
        (calls("x", "f", ["[" * 100_000]), ["calls.arguments[0].args_json[0]"]),
    ],
)
async def test_bad_requests(
    sandbox: EmbeddedSandbox, request_: pb.RunRequest, words: list[str]
) -> None:
    result = await sandbox.run(request_)
    assert result.status == pb.RunResult.INVALID
    assert not result.outcomes
    for word in words:
        assert word in result.message


# ---- the command


def command(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "sandbox.cli", *arguments],
        input=stdin,
        capture_output=True,
        timeout=60,
    )


def test_run_command(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import sys\nprint(input())\nprint('note', file=sys.stderr)\nsys.exit(3)")
    done = command("run", str(program), stdin=b"hello\n")
    assert (done.returncode, done.stdout) == (3, b"hello\n")
    assert b"note" in done.stderr
    assert b"EXITED" in done.stderr
    program.write_text("if")
    done = command("run", str(program))
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"SyntaxError" in done.stderr


def test_probe_command() -> None:
    done = command("probe")
    assert done.returncode == 0
    assert b"tier: T3" in done.stdout


async def test_serve_command() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox.cli", "serve", "--listen", "127.0.0.1:0", "--slots", "1",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    remote = RemoteSandbox(line.split()[2].rstrip(","))
    result = await remote.run(inputs("print(1)"))
    assert result.outcomes[0].ending == Outcome.EXITED
    await remote.close()
    process.terminate()
    assert await process.wait() == 0


# ---- where it cannot start


async def test_without_the_helper(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sandbox.probe.HELPER", tmp_path / "touchstone-jail")
    with pytest.raises(
        SandboxUnavailable, match=r"tier T3 is required and not available: .*C compiler"
    ):
        await EmbeddedSandbox.start()


async def test_without_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(SandboxUnavailable, match=r"CAP_SETUID.*not started as root"):
        await EmbeddedSandbox.start(tier="T2", require_tier="T2")


async def test_when_a_step_of_the_jail_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The reason of the helper itself reaches the user."""
    helper = tmp_path / "helper"
    helper.write_text("#!/bin/sh\necho 'touchstone-jail: namespaces: not here' >&2\nexit 120\n")
    helper.chmod(0o755)
    monkeypatch.setattr("sandbox.launch.HELPER", helper)
    with pytest.raises(SandboxUnavailable, match="namespaces: not here"):
        await EmbeddedSandbox.start()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"slots": 0}, "slots must be from 1 to 128, got 0"),
        ({"slots": 129}, "slots must be from 1 to 128, got 129"),
        ({"max_queued": -1}, "max_queued must not be negative, got -1"),
        ({"require_tier": "T9"}, "require_tier must be T1, T2 or T3, got 'T9'"),
    ],
)
async def test_bad_settings(settings: dict[str, object], words: str) -> None:
    with pytest.raises(SandboxUnavailable, match=words):
        await EmbeddedSandbox.start(**settings)  # type: ignore[arg-type]
