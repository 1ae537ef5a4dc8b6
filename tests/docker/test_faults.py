"""Whatever dies: every request gets its result, the place is filled again, nothing is left."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import docker
import pytest

from sandbox import container
from sandbox.docker import LABEL, DockerSandbox, _server_name, sweep
from sandbox.v1 import sandbox_pb2 as pb
from tests.docker.conftest import IMAGE, Start, inputs

OK, SANDBOX_ERROR = pb.RunResult.OK, pb.RunResult.SANDBOX_ERROR
SLEEP = "import time; time.sleep(1.5); print(1)"


def ours(engine: docker.DockerClient) -> list[docker.models.containers.Container]:
    found = engine.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True)
    return [one for one in found if one.labels[LABEL] == _server_name()]


def processes(one: docker.models.containers.Container) -> dict[str, int]:
    """Pids, on the host, of a container's init and its agent."""
    init = one.attrs["State"]["Pid"]
    (agent,) = Path(f"/proc/{init}/task/{init}/children").read_text().split()
    return {"init": init, "agent": int(agent)}


async def eventually(what: Callable[[], bool | Awaitable[bool]], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while True:
        met = what()
        if met if isinstance(met, bool) else await met:
            return
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


async def in_mid_run(sandbox: DockerSandbox, source: str = SLEEP) -> asyncio.Task[pb.RunResult]:
    running = asyncio.create_task(sandbox.run(inputs(source, b"", id="x")))
    await asyncio.sleep(0.5)
    return running


@pytest.mark.parametrize("victim", ["init", "agent"])
async def test_killed_in_mid_run(start: Start, engine: docker.DockerClient, victim: str) -> None:
    sandbox = await start(containers=1)
    (one,) = ours(engine)
    running = await in_mid_run(sandbox)
    os.kill(processes(one)[victim], signal.SIGKILL)
    killed = time.monotonic()
    result = await running
    assert (result.id, result.status) == ("x", OK)
    assert result.outcomes[0].stdout == b"1\n"
    # The replacement was there in time to run all of it again.
    assert time.monotonic() - killed < 1.5 + 3
    await eventually(lambda: one.id not in [other.id for other in ours(engine)])
    assert len(ours(engine)) == 1


async def test_the_other_container_takes_over(start: Start, engine: docker.DockerClient) -> None:
    sandbox = await start(containers=2)
    running = [await in_mid_run(sandbox), await in_mid_run(sandbox)]
    ours(engine)[0].kill()
    results = await asyncio.gather(*running)
    assert [one.status for one in results] == [OK, OK]
    await eventually(lambda: len(ours(engine)) == 2)
    results = await asyncio.gather(*(sandbox.run(inputs("print(1)")) for _ in range(8)))
    assert {one.outcomes[0].stdout for one in results} == {b"1\n"}


async def test_two_containers_lost_is_an_error(start: Start, engine: docker.DockerClient) -> None:
    sandbox = await start(containers=1)
    running = await in_mid_run(sandbox, "import time; time.sleep(30)")
    (first,) = ours(engine)
    first.kill()
    await eventually(lambda: any(one.id != first.id for one in ours(engine)))
    await asyncio.sleep(1.5)
    for one in ours(engine):
        one.kill()
    result = await running
    assert (result.id, result.status) == ("x", SANDBOX_ERROR)
    assert "2 containers failed" in result.message
    assert not result.outcomes
    assert (await sandbox.run(inputs("print(1)"))).status == OK


async def test_an_agent_that_stands_still(
    start: Start, engine: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "PING_EVERY_SECONDS", 0.2)
    monkeypatch.setattr(container, "PING_SECONDS", 1.0)
    sandbox = await start(containers=1)
    (one,) = ours(engine)
    os.kill(processes(one)["agent"], signal.SIGSTOP)
    result = await sandbox.run(inputs("print(1)"))
    assert result.status == OK, result
    assert one.id not in [other.id for other in ours(engine)]


@pytest.mark.parametrize(
    "garbage",
    [b"hello\n" * 10, b"\0" * 9, b"\xff" * 9],
    ids=["text", "no kind", "length beyond the limit"],
)
async def test_garbage_from_an_agent(
    start: Start, engine: docker.DockerClient, garbage: bytes
) -> None:
    sandbox = await start(containers=1)
    (one,) = ours(engine)
    running = await in_mid_run(sandbox)
    Path(f"/proc/{processes(one)['init']}/fd/1").write_bytes(garbage)
    assert (await running).status == OK
    assert one.id not in [other.id for other in ours(engine)]


async def test_sandbox_error_replaces_the_container(
    start: Start, engine: docker.DockerClient
) -> None:
    """No jail can be built in it any more: the fault is the container's, not the run's."""
    sandbox = await start(containers=1)
    (one,) = ours(engine)
    root = Path(f"/proc/{processes(one)['agent']}/root")
    (helper,) = root.glob("opt/touchstone/lib/python3*/site-packages/sandbox/jail/touchstone-jail")
    inside = "/" + str(helper.relative_to(root))
    enter = ["nsenter", "--mount", "--target", str(processes(one)["agent"])]
    subprocess.run([*enter, "mount", "--bind", "/dev/null", inside], check=True)
    # The jail that is there is spent at a limit; another is needed then.
    for _ in range(3):
        bounds = pb.Limits(cpu_seconds=0.05)
        spent = await sandbox.run(inputs("while True: pass", limits=bounds))
        assert spent.status == OK, spent
        assert (await sandbox.run(inputs("print(1)"))).status == OK
    assert one.id not in [other.id for other in ours(engine)]


async def test_replaced_after_its_requests(start: Start, engine: docker.DockerClient) -> None:
    sandbox = await start(containers=1, recycle_after=5)
    seen: set[str] = set()
    end = time.monotonic() + 60
    n = 0
    while len(seen) < 3 and time.monotonic() < end:
        n += 1
        seen |= {str(one.id) for one in ours(engine)}
        result = await sandbox.run(inputs(f"print({n})"))
        assert result.outcomes[0].stdout == b"%d\n" % n
    assert len(seen) >= 3
    await eventually(lambda: len(ours(engine)) == 1)


async def test_the_engine_refuses_for_a_while(
    start: Start, engine: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No replacement can be started: what waits gets an error, and later runs go through."""
    sandbox = await start(containers=1)
    (one,) = ours(engine)
    monkeypatch.setattr(container, "CAPABILITIES", ("NO_SUCH",))
    one.kill()
    result = await sandbox.run(inputs("print(1)", id="x"))
    assert (result.id, result.status) == ("x", SANDBOX_ERROR)
    assert "no container can be started" in result.message
    monkeypatch.undo()

    async def runs() -> bool:
        return (await sandbox.run(inputs("print(1)"))).status == OK

    await eventually(runs, 30)


async def test_closing_in_mid_run_leaves_nothing(start: Start, engine: docker.DockerClient) -> None:
    sandbox = await start()
    ids = [str(one.id) for one in ours(engine)]
    running = await in_mid_run(sandbox, "import time; time.sleep(60)")
    waiting = [asyncio.create_task(sandbox.run(inputs("print(1)"))) for _ in range(5)]
    await asyncio.sleep(0)
    began = time.monotonic()
    await sandbox.close()
    assert time.monotonic() - began < 30  # not the minute of the program
    outcomes = await asyncio.gather(running, *waiting, return_exceptions=True)
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert not ours(engine)
    groups = Path("/sys/fs/cgroup")
    assert not [path for one in ids for path in groups.glob(f"**/{one}*")]


async def test_closing_while_a_container_starts(start: Start, engine: docker.DockerClient) -> None:
    for pause in (0.0, 0.05, 0.2, 0.5):
        sandbox = await start(containers=1)
        for one in ours(engine):
            one.kill()
        await asyncio.sleep(pause)
        await sandbox.close()
        assert not ours(engine)


SERVER = """
import asyncio, sys
from sandbox.docker import DockerSandbox, Settings
from sandbox.v1 import sandbox_pb2 as pb
async def main():
    settings = Settings(image=sys.argv[1], containers=2, memory_bytes=1 << 30)
    sandbox = await DockerSandbox.start(settings)
    request = pb.RunRequest(language="python", source="import time; time.sleep(60)")
    request.inputs.stdin.append(b"")
    print("started", flush=True)
    await sandbox.run(request)
asyncio.run(main())
"""


async def dead_server() -> str:
    """Starts a server with two containers, kills it in mid-run, and returns its label."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, IMAGE, stdout=subprocess.PIPE
    )
    assert server.stdout is not None
    assert await server.stdout.readline() == b"started\n"
    start_time = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()[19]
    mine = _server_name().rpartition(" ")[0].rpartition(" ")[0]
    await asyncio.sleep(0.5)
    server.kill()
    await server.wait()
    return f"{mine} {server.pid} {start_time}"


async def test_containers_of_a_killed_server_end(engine: docker.DockerClient) -> None:
    label = {"label": f"{LABEL}={await dead_server()}"}
    await eventually(
        lambda: not engine.containers.list(all=True, filters=label, ignore_removed=True)
    )


async def test_leftovers_are_swept(start: Start, engine: docker.DockerClient) -> None:
    """One that was created and never started, and one that does not end by itself."""
    left = {LABEL: await dead_server()}
    mine = {LABEL: _server_name()}
    other = {LABEL: "another-host boot 1 2 3"}
    create = engine.containers.create
    created = create(IMAGE, labels=left)
    running = create(IMAGE, "1000", entrypoint=["sleep"], labels=left, network_mode="none")
    running.start()
    kept = [create(IMAGE, labels=labels) for labels in (mine, other)]
    try:
        await start()
        remaining = {one.id for one in engine.containers.list(all=True, filters={"label": LABEL})}
        assert created.id not in remaining
        assert running.id not in remaining
        assert {one.id for one in kept} <= remaining
        assert sweep(engine) == 0
    finally:
        for one in kept:
            one.remove(force=True)
