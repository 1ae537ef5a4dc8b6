"""What a program does in a container comes back; limits, cancelling and the queue hold."""

from __future__ import annotations

import asyncio
import resource
import time

import docker
import pytest

from sandbox import container
from sandbox.client import QueueFull, SandboxUnavailable
from sandbox.docker import LABEL, DockerSandbox, _server_name
from sandbox.v1 import sandbox_pb2 as pb
from tests.docker.conftest import Start, inputs

Outcome = pb.Outcome


async def test_inputs(sandbox: DockerSandbox) -> None:
    result = await sandbox.run(inputs("print(int(input()) + 1)", b"1", b"41", id="x"))
    assert (result.id, result.status, result.tier) == ("x", pb.RunResult.OK, pb.T3)
    assert [one.stdout for one in result.outcomes] == [b"2\n", b"42\n"]


async def test_calls_and_snippets(sandbox: DockerSandbox) -> None:
    source = "def add(a, b):\n    return a + b\n"
    calls = pb.Calls(entry_point="add", arguments=[pb.Arguments(args_json=["1", "2"])])
    snippets = pb.Snippets(source=["assert add(1, 2) == 3", "assert add(1, 2) == 4"])
    called, asserted = await asyncio.gather(
        sandbox.run(pb.RunRequest(language="python", source=source, calls=calls)),
        sandbox.run(pb.RunRequest(language="python", source=source, snippets=snippets)),
    )
    assert [one.value_json for one in called.outcomes] == ["3"]
    assert [one.completed for one in asserted.outcomes] == [True, False]


async def test_every_language_runs(sandbox: DockerSandbox) -> None:
    programs = {
        "python": "print(6 * 7)",
        "cpp": '#include <cstdio>\nint main() { std::printf("%d\\n", 6 * 7); }',
        "java": "class Main { public static void main(String[] a) { System.out.println(6 * 7); } }",
        "javascript": "console.log(6 * 7)",
        "typescript": "const x: number = 6 * 7; console.log(x)",
        "csharp": "class P { static void Main() { System.Console.WriteLine(6 * 7); } }",
        "php": "<?php echo 6 * 7, PHP_EOL;",
        "bash": "echo $((6 * 7))",
    }
    described = await sandbox.describe()
    names = {one.name for one in described.languages} & programs.keys()
    assert "python" in names
    requests = {
        name: pb.RunRequest(language=name, source=programs[name], inputs=pb.Inputs(stdin=[b""]))
        for name in names
    }
    results = await asyncio.gather(*map(sandbox.run, requests.values()))
    said = {
        name: [one.stdout for one in result.outcomes] or result.message or result.diagnostics
        for name, result in zip(requests, results, strict=True)
    }
    assert said == {name: [b"42\n"] for name in names}


async def test_what_cannot_be_run_is_said(sandbox: DockerSandbox) -> None:
    unknown = await sandbox.run(pb.RunRequest(language="cobol", source="x", id="c"))
    assert (unknown.id, unknown.status) == ("c", pb.RunResult.INVALID)
    broken = await sandbox.run(inputs("print(", b""))
    assert broken.status == pb.RunResult.OK
    assert broken.compile_failed


@pytest.mark.parametrize(
    ("source", "ending"),
    [
        ("while True: pass", Outcome.CPU_LIMIT),
        ("import time; time.sleep(60)", Outcome.WALL_LIMIT),
        ("x = bytearray(256 << 20)", Outcome.MEMORY_LIMIT),
        ("import os; os.kill(os.getpid(), 11)", Outcome.SIGNALLED),
    ],
)
async def test_limits(sandbox: DockerSandbox, source: str, ending: int) -> None:
    bounds = pb.Limits(cpu_seconds=0.5, wall_seconds=3, memory_bytes=64 << 20)
    result = await sandbox.run(inputs(source, limits=bounds))
    assert result.outcomes[0].ending == ending, result


async def test_a_flood_of_output_is_bounded(sandbox: DockerSandbox) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    flood = "while True: print('x' * 100_000)"
    bounds = pb.Limits(output_bytes=4 << 20)
    results = await asyncio.gather(*(sandbox.run(inputs(flood, limits=bounds)) for _ in range(4)))
    for result in results:
        assert result.outcomes[0].ending == Outcome.OUTPUT_LIMIT
        assert len(result.outcomes[0].stdout) == 4 << 20
        assert result.outcomes[0].stdout_truncated
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # KiB
    assert grown < 100 << 10


async def test_many_mixed_requests_keep_their_ids(sandbox: DockerSandbox) -> None:
    def one(n: int) -> pb.RunRequest:
        kinds = (
            inputs(f"print({n})", b"", id=str(n)),
            inputs("import sys; sys.exit(3)", b"", id=str(n)),
            inputs(f"print({n}, end='', flush=True)\nraise ValueError", b"", id=str(n)),
            inputs("syntax error", b"", id=str(n)),
            inputs("print('y' * 300_000)", b"", b"", id=str(n)),
        )
        return kinds[n % len(kinds)]

    def shown(result: pb.RunResult) -> object:
        if result.compile_failed:
            return "no program"
        return [(one.exit_code, len(one.stdout), one.stdout[:8]) for one in result.outcomes]

    results = await asyncio.gather(*(sandbox.run(one(n)) for n in range(200)))
    assert [result.id for result in results] == [str(n) for n in range(200)]
    for n, result in enumerate(results):
        text = str(n).encode()
        expected = (
            [(0, len(text) + 1, text + b"\n")],
            [(3, 0, b"")],
            [(1, len(text), text)],
            "no program",
            [(0, 300_001, b"y" * 8)] * 2,
        )
        assert shown(result) == expected[n % len(expected)], (n, result)


async def test_cancelling_frees_the_place(start: Start) -> None:
    sandbox = await start(containers=1)
    sleeping = asyncio.create_task(sandbox.run(inputs("import time; time.sleep(60)")))
    waiting = asyncio.create_task(sandbox.run(inputs("print(1)")))
    await asyncio.sleep(0.5)
    began = time.monotonic()
    sleeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeping
    result = await waiting
    assert result.outcomes[0].stdout == b"1\n"
    assert time.monotonic() - began < 20  # not the minute of the other
    assert result.queued_ms > 400


async def test_cancelled_before_it_is_sent(start: Start) -> None:
    sandbox = await start(containers=1)
    tasks = [asyncio.create_task(sandbox.run(inputs("print(1)"))) for _ in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in outcomes[::2])
    assert all(isinstance(one, pb.RunResult) for one in outcomes[1::2])
    assert (await sandbox.run(inputs("print(2)"))).outcomes[0].stdout == b"2\n"


async def test_queue_full(start: Start) -> None:
    sandbox = await start(containers=1, max_queued=1)
    tasks = [asyncio.create_task(sandbox.run(inputs("print(1)"))) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(QueueFull, match="max_queued"):
        await sandbox.run(inputs("print(1)"))
    assert len(await asyncio.gather(*tasks)) == 2


async def test_many_slots_in_one_container(start: Start) -> None:
    sandbox = await start(containers=1, slots=3)
    assert (await sandbox.describe()).slots == 3
    began = time.monotonic()
    await asyncio.gather(*(sandbox.run(inputs("import time; time.sleep(4)")) for _ in range(3)))
    assert time.monotonic() - began < 8  # no two of them one after the other


async def test_describe(sandbox: DockerSandbox) -> None:
    described = await sandbox.describe()
    assert (described.tier, described.slots, described.max_queued) == (pb.T3, 2, 10_000)
    in_force = {one.name: one.in_force for one in described.mechanisms}
    assert in_force["cgroup"]
    assert in_force["container"]


async def test_hardened(sandbox: DockerSandbox, engine: docker.DockerClient) -> None:
    """The engine has taken every option."""
    (one, _) = engine.containers.list(filters={"label": f"{LABEL}={_server_name()}"})
    host = one.attrs["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"]
    assert not host["Privileged"]
    assert host["CapDrop"] == ["ALL"]
    assert host["CapAdd"] == list(container.CAPABILITIES)
    assert host["Memory"] == host["MemorySwap"] == 1 << 30
    assert host["PidsLimit"] > 0
    assert host["LogConfig"]["Type"] == "none"
    assert host["Binds"] is None
    assert "no-new-privileges" in host["SecurityOpt"]


async def test_refused_below_the_required_tier(
    monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    monkeypatch.setattr(container, "CAPABILITIES", ())
    with pytest.raises(SandboxUnavailable, match="T3"):
        await start()


async def test_no_such_image(start: Start, engine: docker.DockerClient) -> None:
    with pytest.raises(SandboxUnavailable, match="no-such-image"):
        await start(image="no-such-image")


async def test_a_chosen_runtime(start: Start, engine: docker.DockerClient) -> None:
    sandbox = await start(containers=1, runtime="runc")
    assert (await sandbox.run(inputs("print(1)"))).outcomes[0].stdout == b"1\n"
    (one,) = engine.containers.list(filters={"label": f"{LABEL}={_server_name()}"})
    assert one.attrs["HostConfig"]["Runtime"] == "runc"


async def test_no_such_runtime(start: Start, engine: docker.DockerClient) -> None:
    with pytest.raises(SandboxUnavailable, match="no-such-runtime"):
        await start(runtime="no-such-runtime")
    assert not engine.containers.list(all=True, filters={"label": f"{LABEL}={_server_name()}"})


async def test_no_engine(start: Start) -> None:
    with pytest.raises(SandboxUnavailable, match="no Docker engine"):
        await start(engine="unix:///nowhere.sock")
