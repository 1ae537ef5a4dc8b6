"""Other people's harnesses: subprocesses that end with all they started, and those that ask a model
by themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from evals.benchmark import Benchmark, Endpoint, Question
from evals.generate import Job
from evals.records import Generation, Records

Made = Callable[[Job, Generation], None]

TOLD_CHARS = 2000
"""Of a harness's last words, in an error."""


class HarnessFailed(Exception):
    """A harness gave no results: the message has its last words."""


@dataclass(frozen=True)
class Finished:
    """How a harness ended."""

    status: int
    told: str
    """The end of what it printed on both streams."""


async def run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float
) -> Finished:
    """Runs a harness in a folder, with these variables added to ours. Raises HarnessFailed after
    `seconds`; then, and when cancelled, its process group is killed."""
    if shutil.which(command[0]) is None:
        raise HarnessFailed(f"{command[0]}: no such program")
    # What is cancelled while it starts must be known to be killed.
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=os.environ | dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    )
    told = b""
    try:
        async with asyncio.timeout(seconds):
            process = await asyncio.shield(starting)
            assert process.stdout is not None
            while more := await process.stdout.read(65536):
                told = (told + more)[-4 * TOLD_CHARS :]
            status = await process.wait()
    except TimeoutError:
        raise HarnessFailed(
            f"{command[0]}: at most {seconds:g} s, then it was killed: {_last(told)}"
        ) from None
    finally:
        process = await starting
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    return Finished(status, _last(told))


def _last(told: bytes) -> str:
    return told.decode("utf-8", "replace")[-TOLD_CHARS:]


async def ask(
    benchmark: Benchmark,
    questions: Sequence[Question],
    endpoint: Endpoint,
    missing: Sequence[Job],
    records: Records[Generation],
    made: Made,
) -> None:
    """Has a benchmark's harness ask for what is missing; each sample is on disk when `made` is
    called. Raises BenchmarkError, HarnessFailed."""
    assert benchmark.harness is not None
    wanted = {(job.key.question, job.key.sample): job for job in missing}
    if not wanted:
        return
    async for done in benchmark.harness(questions, endpoint):
        if (job := wanted.get((done.question, done.sample))) is None:
            continue
        generation = Generation(
            **asdict(job.key),
            response=done.response,
            finish="error" if done.error else "stop",
            error=done.error,
            seconds=done.seconds,
            cost=done.cost,
        )
        records.append(generation)
        made(job, generation)
