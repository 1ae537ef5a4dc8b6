"""The agent's conversation over pipes, without a container; and the splitting of its stream."""

from __future__ import annotations

import asyncio
import os
import random
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox import agent, container
from sandbox.client import QueueFull
from sandbox.v1 import sandbox_pb2 as pb

ROOT = Path(__file__).parents[2]


class Stand:
    """A sandbox whose programs are their source: sleep, refuse, fail, or say it."""

    def __init__(self) -> None:
        self.cancelled: list[str] = []
        self.asleep = asyncio.Event()

    async def run(self, request: pb.RunRequest) -> pb.RunResult:
        if request.source == "sleep":
            try:
                self.asleep.set()
                await asyncio.sleep(600)
            except asyncio.CancelledError:
                self.cancelled.append(request.id)
                raise
        if request.source == "full":
            raise QueueFull("0 may wait")
        if request.source == "defect":
            raise KeyError("of ours")
        return pb.RunResult(id=request.id, status=pb.RunResult.OK, message=request.source)

    async def describe(self) -> pb.DescribeResponse:
        return pb.DescribeResponse(slots=3)

    async def close(self) -> None:
        """Nothing to end."""


class Line:
    """The asking side of an agent that serves a Stand in this process."""

    def __init__(self) -> None:
        theirs_in, self.to = os.pipe()
        self.back, theirs_out = os.pipe()
        self.stand = Stand()
        self.serving = asyncio.create_task(agent.serve_stdio(self.stand, (theirs_in, theirs_out)))
        self.frames = container.Frames()
        self.heard: list[tuple[int, int, bytes]] = []

    def send(self, kind: int, number: int, body: bytes = b"") -> None:
        os.write(self.to, agent.encode(kind, number, body))

    def run(self, number: int, source: str) -> None:
        request = pb.RunRequest(id=str(number), source=source)
        self.send(agent.RUN, number, request.SerializeToString())

    async def answers(self, count: int) -> list[tuple[int, int, bytes]]:
        async with asyncio.timeout(60):
            while len(self.heard) < count:
                data = await asyncio.to_thread(os.read, self.back, 1 << 16)
                assert data, "the agent is gone"
                self.heard += self.frames.feed(data)
        first, self.heard = self.heard[:count], self.heard[count:]
        return first

    def close(self) -> None:
        if self.to >= 0:
            os.close(self.to)
            self.to = -1


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    one = Line()
    yield one
    one.close()
    await asyncio.wait([one.serving], timeout=60)
    os.close(one.back)


async def test_answers_carry_their_numbers(line: Line) -> None:
    line.run(7, "sleep")
    for number in range(100, 200):
        line.run(number, f"program {number}")
    answers = await line.answers(100)
    assert sorted(number for _, number, _ in answers) == list(range(100, 200))
    for kind, number, body in answers:
        assert kind == agent.RESULT
        result = pb.RunResult.FromString(body)
        assert (result.id, result.message) == (str(number), f"program {number}")
    line.send(agent.PING, 1)
    assert await line.answers(1) == [(agent.PONG, 1, b"")]
    line.send(agent.DESCRIBE, 2)
    ((kind, number, body),) = await line.answers(1)
    assert (kind, number) == (agent.DESCRIPTION, 2)
    assert pb.DescribeResponse.FromString(body).slots == 3


async def test_cancelling(line: Line) -> None:
    line.run(1, "sleep")
    await asyncio.wait_for(line.stand.asleep.wait(), 60)
    line.send(agent.CANCEL, 1)
    assert await line.answers(1) == [(agent.CANCELLED, 1, b"")]
    assert line.stand.cancelled == ["1"]
    # In one piece with its request, before that has begun; and too late, for what is not there.
    request = pb.RunRequest(source="sleep").SerializeToString()
    os.write(line.to, agent.encode(agent.RUN, 1, request) + agent.encode(agent.CANCEL, 1))
    line.send(agent.CANCEL, 99)
    assert await line.answers(1) == [(agent.CANCELLED, 1, b"")]
    line.run(1, "again")
    assert (await line.answers(1))[0][:2] == (agent.RESULT, 1)


async def test_refused(line: Line) -> None:
    line.run(1, "full")
    assert await line.answers(1) == [(agent.REFUSED, 1, b"0 may wait")]


async def test_the_end_of_the_input_ends_everything(line: Line) -> None:
    line.run(1, "sleep")
    await asyncio.wait_for(line.stand.asleep.wait(), 60)
    line.close()
    await asyncio.wait_for(line.serving, 60)
    assert line.stand.cancelled == ["1"]


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (agent.encode(99, 1), "kind 99"),
        (agent.encode(agent.RUN, 1, b"\xff\xff"), "request 1"),
        (b"\xff" * agent.HEADER.size, "a body of"),
        (agent.encode(agent.PING, 1, b"xyz")[:-1], "ended within a frame"),
        (agent.encode(agent.PING, 1)[:-1], "ended within a frame"),
        (
            agent.encode(agent.RUN, 1, pb.RunRequest(source="sleep").SerializeToString()) * 2,
            "under way already",
        ),
    ],
)
async def test_a_bad_frame_ends_it(line: Line, sent: bytes, message: str) -> None:
    os.write(line.to, sent)
    line.close()
    with pytest.raises(agent.BadFrame, match=message):
        await asyncio.wait_for(line.serving, 60)


async def test_a_defect_ends_it(line: Line) -> None:
    line.run(1, "defect")
    with pytest.raises(RuntimeError, match="KeyError"):
        await asyncio.wait_for(line.serving, 60)


def test_standard_output_is_for_frames_alone() -> None:
    code = (
        "import os, sys\n"
        "from sandbox.agent import claim_stdio\n"
        "frames_in, frames_out = claim_stdio()\n"
        "print('from print', flush=True)\n"
        "os.system('echo from a child; cat')\n"
        "os.write(frames_out, b'frame ' + os.read(frames_in, 100))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=b"input", capture_output=True, check=True, cwd=ROOT
    )
    assert done.stdout == b"frame input"
    assert done.stderr == b"from print\nfrom a child\n"


def piece(stream: int, data: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


def test_the_stream_is_put_together_however_it_is_cut() -> None:
    random.seed(7)
    for _ in range(200):
        frames = [
            (
                random.choice((agent.RESULT, agent.PONG)),
                n,
                random.randbytes(random.choice((0, 1, 300))),
            )
            for n in range(5)
        ]
        output = b"".join(agent.encode(kind, number, body) for kind, number, body in frames)
        stream, errors = b"", b""
        while output:
            cut = random.randint(0, 40)
            stream += piece(1, output[:cut]) + piece(2, b"words")
            errors += b"words"
            output = output[cut:]
        pieces, whole, said = container.Demultiplexer(), container.Frames(), b""
        heard = []
        while stream:
            cut = random.randint(1, 30)
            for is_output, data in pieces.feed(stream[:cut]):
                if is_output:
                    heard += whole.feed(data)
                else:
                    said += data
            stream = stream[cut:]
        assert heard == frames
        assert said == errors


def test_a_stream_that_is_none() -> None:
    with pytest.raises(agent.BadFrame, match="stream 7"):
        list(container.Demultiplexer().feed(piece(7, b"x")))


def test_compose_gives_the_sandbox_what_it_needs() -> None:
    """The service of compose.yaml and the containers of sandbox/container.py are alike."""
    text = (ROOT / "compose.yaml").read_text()
    (added,) = re.findall(r"cap_add: \[(.*)\]", text)
    assert tuple(added.split(", ")) == container.CAPABILITIES
    assert f"seccomp:./{container.SECCOMP.relative_to(ROOT)}" in text
