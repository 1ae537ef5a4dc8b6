"""One slot: runs one submission at a time, in warm jails that are replaced when spent.

What counts, when something dies:

- A limit that is passed ends the run; the jail is killed and the runs that are left get a new one.
  So does a run that leaves processes behind.
- A program can neither kill nor stop the zygote or init. A jail that is lost without having run
  out of memory was killed from outside, and one that is found stopped by a signal when time runs
  out was stopped from outside: the run is repeated in a new jail, and lost ATTEMPTS times it is
  SANDBOX_ERROR.
- A run ended by a SIGKILL that neither a limit nor the memory cgroup explains killed itself or
  was killed from outside, which cannot be told apart: it is tried ATTEMPTS times, each in a new
  jail, and what happened last counts.
- A wall limit is the program's own, as sleep(100) is, with two exceptions: the host was busy, or a
  process of the program is stopped by a signal, its own or somebody's. Then the run is repeated
  once, and what happens then counts; with much more wall time, where it had used much CPU time,
  for PATIENT_RUNS of a submission, and for none after one that needed more than that. A run that
  was stopped from outside and set going again before the limit cannot be told from one that slept.

Function calls share a process, so what is repeated there is all of them.
"""

from __future__ import annotations

import marshal
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sandbox import limits
from sandbox.compiling import Compiler
from sandbox.dialogue import OtherCompileFailed, Prepared, converse, ended_well
from sandbox.execution import (
    Ended,
    ResourceLimits,
    Why,
    execute,
    python_body,
    spawn_body,
)
from sandbox.languages import Toolchains
from sandbox.languages.base import ENVIRONMENT, Compile, Language
from sandbox.launch import Confinement, JailLost
from sandbox.limits import Job, RunLimits
from sandbox.outcomes import (
    CompileFailed,
    DeadlineOver,
    Outcome,
    SandboxError,
    call_outcomes,
    loaded,
    outcome_of,
    why_not_compiled,
)
from sandbox.seat import Box, Seat
from sandbox.v1 import sandbox_pb2 as pb

# Tries of a run whose jail is lost, or that is killed for no reason known. They cost nothing where
# nobody kills; three outlast a host on which somebody kills at random.
ATTEMPTS = 3
# Tries of a run that hit its wall limit for no reason of its own: each takes all of that time.
WALL_ATTEMPTS = 2
# A run that has used more than this share of its CPU limit at its wall limit was at work all the
# time, and its repetition has so many times the wall time.
MUCH_CPU = 0.25
PATIENCE = 8
# Runs of one submission that may have it: a host that is busy for one test is so for many.
PATIENT_RUNS = 8
# Per cent of the last ten seconds in which some process waited for a core. A host whose cores
# are just full shows about 10.
BUSY_PRESSURE = 20.0
NONCE_BYTES = 8
EMPTY = Box("main", b"")

TIERS = {1: pb.T1, 2: pb.T2, 3: pb.T3}
# The seats of a slot. Compilers have one of their own, since what they read of their libraries
# stays in its cgroup's memory; checkers and interactors have theirs, since they see expected
# outputs.
SPAWNED, COMPILING, PYTHON, PACKAGES = "spawned", "compiling", "python", "packages"
JUDGING, JUDGING_PYTHON = "judging", "judging-python"


def host_is_busy() -> bool:
    """Whether processes have had to wait for a core in the last seconds."""
    try:
        first = Path("/proc/pressure/cpu").read_text().split()
    except OSError:  # a kernel without pressure stall information
        return os.getloadavg()[0] > (os.cpu_count() or 1)
    return float(first[1].removeprefix("avg10=")) > BUSY_PRESSURE


class Slot:
    """Owns two user ids and a seat for each kind of zygote."""

    def __init__(
        self,
        confinement: Confinement,
        toolchains: Toolchains,
        compiler: Compiler,
        make_seat: Callable[[str], Seat],
    ) -> None:
        self._confinement, self._toolchains = confinement, toolchains
        self._compiler, self._make_seat = compiler, make_seat
        self._seats: dict[str, Seat] = {}
        # Of the runs of the submission at work; how many more of them may have more wall time.
        self._cpu_us, self._patient = 0, PATIENT_RUNS

    def seat(self, kind: str) -> Seat:
        if kind not in self._seats:
            self._seats[kind] = self._make_seat(kind)
        return self._seats[kind]

    def prepare(self) -> None:
        """Warms what most submissions need."""
        self.seat(PYTHON).prepare()

    async def tidy(self) -> None:
        """Between submissions: replaces jails that are spent or worn."""
        for seat in self._seats.values():
            if seat.stale:
                await seat.clear()
                seat.prepare()

    @property
    def tidied(self) -> bool:
        return not any(seat.stale for seat in self._seats.values())

    async def close(self) -> None:
        for seat in self._seats.values():
            await seat.clear()
            if seat.room.group:
                seat.room.group.close()

    # ---- submissions

    async def run(self, job: Job, language: Language) -> pb.RunResult:
        """Runs a submission, or says why it could not be run."""
        began = time.monotonic()
        deadline = None if job.deadline_seconds is None else began + job.deadline_seconds
        result = pb.RunResult(id=job.id, status=pb.RunResult.OK)
        result.tier = TIERS[self._confinement.tier]
        result.toolchain = language.toolchain
        outcomes: list[pb.Outcome] = []
        others: list[pb.Outcome] = []
        self._cpu_us, self._patient = 0, PATIENT_RUNS
        try:
            if deadline is not None and job.deadline_seconds == 0:
                raise DeadlineOver
            if job.rival is not None:
                await self._race(job, language, deadline, outcomes, others, result)
            else:
                await self._work(job, language, deadline, outcomes, others, result)
        except CompileFailed as failure:
            result.compile_failed = not isinstance(failure, OtherCompileFailed)
            result.other_compile_failed = not result.compile_failed
            result.diagnostics = cut(str(failure), limits.DIAGNOSTICS_BYTES)
            result.compile_cpu_us = failure.cpu_us
        except DeadlineOver:
            result.status = pb.RunResult.TIMEOUT
            result.message = f"deadline_ms passed after {len(outcomes)} of {len(job.runs)} runs"
        except (SandboxError, JailLost, OSError) as error:
            outcomes.clear()
            result.status = pb.RunResult.SANDBOX_ERROR
            result.message = f"{type(error).__name__}: {error}"
        if result.status != pb.RunResult.SANDBOX_ERROR:
            result.outcomes.extend(filled(outcomes, job))
            if job.rival is not None:
                result.rival_outcomes.extend(filled(others, job))
            if job.kind == "dialogue":
                result.interactor_outcomes.extend(filled(others, job))
        result.cpu_us = self._cpu_us
        result.ran_ms = (time.monotonic() - began) * 1000
        return result

    async def _work(
        self,
        job: Job,
        language: Language,
        deadline: float | None,
        outcomes: list[pb.Outcome],
        others: list[pb.Outcome],
        result: pb.RunResult,
    ) -> None:
        """All runs of one program; `others` is for an interactor's outcomes."""
        if job.kind == "dialogue":
            await self._talk(job, language, deadline, outcomes, others, result)
        elif job.kind == "command":
            await self._command(job, language, deadline, outcomes, result)
        elif language.zygote:
            await self._run_python(job, language, deadline, outcomes)
        else:
            await self._run_spawned(job, language, deadline, outcomes, result)

    async def _race(
        self,
        job: Job,
        language: Language,
        deadline: float | None,
        outcomes: list[pb.Outcome],
        others: list[pb.Outcome],
        result: pb.RunResult,
    ) -> None:
        """The program and its rival take turns; the least CPU time of each is told."""
        rival = job.of_rival()
        least: dict[bool, int] = {}
        original: dict[bool, list[pb.Outcome]] = {}
        for _ in range(job.rounds):
            for which, is_rival, first in ((job, False, outcomes), (rival, True, others)):
                seen: list[pb.Outcome] = []
                self._cpu_us = 0
                try:
                    await self._work(which, language, deadline, seen, [], result)
                except CompileFailed as failure:
                    raise OtherCompileFailed.of(failure) if is_rival else failure from None
                least[is_rival] = min(least.get(is_rival, self._cpu_us), self._cpu_us)
                if not first:
                    first[:] = original[is_rival] = list(seen)
                del first[len(seen) :]
                for place, (once, again) in enumerate(zip(original[is_rival], seen, strict=False)):
                    if _told(once) != _told(again):
                        # Which of them is the right one is not known here: neither.
                        odd = pb.Outcome(ending=Outcome.RAISED, error="rounds differ")
                        first[place : place + 1] = [odd]
        result.rival_cpu_us, self._cpu_us = least[True], least[False]

    async def _box(
        self, job: Job, language: Language, deadline: float | None, result: pb.RunResult
    ) -> Box:
        """What runs of the program find in /box; compiles it where that is needed."""
        if not language.compile:
            return Box(language.source_name, job.source.encode(), beside=job.files)
        compiled = await self._compiler.compiled(job, language, self, deadline)
        # With one user programs own the file, and could leave notes on it.
        file = compiled.file if self._confinement.users == 2 else None
        result.diagnostics = cut(compiled.diagnostics, limits.DIAGNOSTICS_BYTES)
        result.compile_cpu_us, result.compile_cached = compiled.cpu_us, compiled.cached
        return Box(language.artifact_name, compiled.artifact, file)

    async def _run_spawned(
        self,
        job: Job,
        language: Language,
        deadline: float | None,
        outcomes: list[pb.Outcome],
        result: pb.RunResult,
    ) -> None:
        """Programs that are executed: compiled where that is needed, then a process per input."""
        box = await self._box(job, language, deadline, result)
        seat = self.seat(SPAWNED)
        body = self._spawn_body(seat, language.run, language, job.limits)
        room = limits.MAX_RESULT_BYTES
        for run in job.runs:
            assert isinstance(run, bytes)
            ended = await self._execute(
                seat, language, job.limits, body, run, room, 0, deadline, box
            )
            if self._note(job, ended, outcomes):
                return
            room -= len(ended.stdout)

    # ---- commands and dialogues

    async def _prepared(
        self,
        job: Job,
        language: Language,
        deadline: float | None,
        result: pb.RunResult,
        judging: bool,
    ) -> Prepared:
        """The program, ready to be run with any arguments."""
        if language.zygote:
            packages = self._toolchains.packages.named_in(job.source)
            kind = JUDGING_PYTHON if judging else PACKAGES if packages else PYTHON
            box = Box("main.py", b"", beside=job.files)
        else:
            kind = JUDGING if judging else SPAWNED
            box = await self._box(job, language, deadline, result)
        seat = self.seat(kind)

        def body(args: tuple[str, ...]) -> bytes:
            if not language.zygote:
                return self._spawn_body(seat, (*language.run, *args), language, job.limits)
            words = list(map(seat.room.inside, args))
            shared = _python_command(job) | {"do": "input", "argv": words}
            return python_body(shared, self._rlimits(seat, job.limits, language), seat.room)

        return Prepared(seat, job, language, box, body)

    async def _command(
        self,
        job: Job,
        language: Language,
        deadline: float | None,
        outcomes: list[pb.Outcome],
        result: pb.RunResult,
    ) -> None:
        """Runs with arguments and files of their own: checkers."""
        program = await self._prepared(job, language, deadline, result, judging=True)
        room = limits.MAX_RESULT_BYTES
        for run in job.runs:
            assert isinstance(run, limits.Command)
            ended = await self._execute(
                program.seat,
                language,
                job.limits,
                program.body(run.args),
                run.stdin,
                room,
                limits.MAX_ARTIFACT_BYTES if language.zygote else 0,
                deadline,
                program.with_files(run.files),
            )
            if language.zygote:
                loaded(ended)
            room -= len(ended.stdout)
            if self._note(job, ended, outcomes):
                return

    async def _talk(
        self,
        job: Job,
        language: Language,
        deadline: float | None,
        outcomes: list[pb.Outcome],
        others: list[pb.Outcome],
        result: pb.RunResult,
    ) -> None:
        """Runs connected to those of an interactor."""
        interactor = job.interactor
        assert interactor is not None
        program = await self._prepared(job, language, deadline, result, judging=False)
        diagnostics = result.diagnostics
        try:
            known = self._toolchains.found[interactor.language]
            other = await self._prepared(interactor, known, deadline, result, judging=True)
        except CompileFailed as failure:
            raise OtherCompileFailed.of(failure) from None
        result.diagnostics = diagnostics
        for run in interactor.runs:
            assert isinstance(run, limits.Command)
            ended, judged, first = await converse(program, other, run, job.going_on, deadline)
            if ended is None:
                outcomes.append(pb.Outcome(ending=Outcome.NOT_RUN))
            else:
                self._note(job, ended, outcomes)
            outcomes[-1].interactor_first = first
            self._note(interactor, judged, others)
            if job.stop_on_failure and not ended_well(outcomes[-1], others[-1], job.going_on):
                return

    def _spawn_body(
        self, seat: Seat, argv: tuple[str, ...], language: Language, run: RunLimits
    ) -> bytes:
        mib = str(run.memory_bytes >> 20)

        def inside(word: str) -> str:
            return seat.room.inside(word).replace("{memory_mib}", mib)

        env = {name: inside(value) for name, value in (ENVIRONMENT | language.env).items()}
        rlimits = self._rlimits(seat, run, language)
        return spawn_body([inside(word) for word in argv], env, rlimits)

    def _rlimits(self, seat: Seat, run: RunLimits, language: Language) -> ResourceLimits:
        before = language.processes
        if self._confinement.counts_all_processes:
            before += processes_of_user()
        elif self._confinement.users == 1:
            before += 3  # the launcher, init and the zygote are this user's too
        return ResourceLimits.of(run, seat.room, before)

    async def compile(
        self, job: Job, language: Language, how: Compile, deadline: float | None
    ) -> Ended:
        """Runs a compiler on the source; the artifact is its standard output.

        Raises CompileFailed for every end but exit status 0.
        """
        seat = self.seat(COMPILING)
        run = limits.COMPILE_LIMITS
        body = self._spawn_body(seat, how.argv, language, run)
        source = language.rewritten(job.source) if language.rewritten else job.source
        box = Box(language.source_name, source.encode(), beside=job.files)
        room = limits.MAX_ARTIFACT_BYTES
        ended = await self._execute(seat, language, run, body, b"", room, 0, deadline, box)
        diagnostics = ended.stderr.decode("utf-8", "replace")
        if ended.why is Why.OUTPUT:
            raise CompileFailed(
                f"the compiled program has more than {limits.MAX_ARTIFACT_BYTES} bytes"
            )
        if ended.why is not Why.EXIT or ended.out_of_memory or (ended.status or 0) < 0:
            raise CompileFailed(f"{why_not_compiled(ended)}\n{diagnostics}".strip())
        if ended.status != 0:
            message = diagnostics or why_not_compiled(ended)
            raise CompileFailed(message, final=True, cpu_us=ended.cpu_us)
        return ended

    async def _run_python(
        self, job: Job, language: Language, deadline: float | None, outcomes: list[pb.Outcome]
    ) -> None:
        packages = self._toolchains.packages.named_in(job.source + job.prelude)
        seat = self.seat(PACKAGES if packages else PYTHON)
        rlimits = self._rlimits(seat, job.limits, language)
        shared = _python_command(job)
        box = Box("main.py", b"", beside=job.files) if job.files else None
        runs = job.runs if job.kind != "call" else (b"",)
        codes, room = b"", limits.MAX_RESULT_BYTES
        for run in runs:
            command = shared | {"codes": codes, "keep": not codes and len(runs) > 1}
            nonce, stdin = os.urandom(NONCE_BYTES), b""
            if job.kind == "call":
                command |= _calls_command(job, nonce)
            elif isinstance(run, bytes):
                stdin = run
            else:
                command |= {"nonce": nonce, "code": run}
            body = python_body(command, rlimits, seat.room)
            results = limits.MAX_RESULT_BYTES if job.kind == "call" else limits.MAX_ARTIFACT_BYTES
            ended = await self._execute(
                seat, language, job.limits, body, stdin, room, results, deadline, box
            )
            told = loaded(ended)
            codes = codes or told.codes
            if job.kind == "call":
                outcomes += call_outcomes(ended, told.results, nonce, job)
                return
            stop = self._note(job, ended, outcomes)
            if job.kind == "snippet":
                outcomes[-1].completed = told.results.startswith(nonce)
            if stop:
                return
            room -= len(ended.stdout)

    @staticmethod
    def _note(job: Job, ended: Ended, outcomes: list[pb.Outcome]) -> bool:
        """Adds a run's outcome; says whether it is the last."""
        outcome = outcome_of(ended)
        outcome.stdout = ended.stdout
        outcome.stdout_truncated = ended.stdout_truncated
        outcomes.append(outcome)
        failed = outcome.ending != Outcome.EXITED or outcome.exit_code != 0
        return failed and job.stop_on_failure

    async def _execute(
        self,
        seat: Seat,
        language: Language,
        run: RunLimits,
        body: bytes,
        stdin: bytes,
        room: int,
        results: int,
        deadline: float | None,
        box: Box | None,
    ) -> Ended:
        """One run, repeated where its end says nothing about the program."""
        output, said = min(run.output_bytes, room), ""
        for attempt in range(1, ATTEMPTS + 1):
            if deadline is not None and time.monotonic() >= deadline:
                raise DeadlineOver
            try:
                jail = await seat.ready()
                seat.limit(run, language.memory_bytes, language.processes)
                if box is not None or seat.holds_files:
                    await seat.put(jail, box or EMPTY)
            except JailLost as error:
                said = str(error)
                await seat.clear()
                continue
            ended = await execute(
                jail,
                seat.room,
                run,
                body,
                stdin,
                output,
                results,
                deadline,
                language.memory_bytes,
            )
            if ended.why is Why.LOST:
                await seat.clear()
                said = jail.errors()
            if ended.why is Why.DEADLINE:
                raise DeadlineOver
            if attempt < _attempts(ended):
                await seat.clear()
                at_work = not ended.stopped and ended.cpu_us > MUCH_CPU * run.cpu_seconds * 1e6
                if ended.why is Why.WALL and at_work and self._patient:
                    self._patient -= 1
                    wall = min(PATIENCE * run.wall_seconds, limits.MAX_WALL_SECONDS)
                    run = replace(run, wall_seconds=wall)
                continue
            self._cpu_us += ended.cpu_us
            if attempt > 1 and ended.why is Why.WALL:
                self._patient = 0
            if ended.why is Why.LOST and not ended.out_of_memory:
                break
            return ended
        raise SandboxError(f"the jail was lost {ATTEMPTS} times in the same run {said}".rstrip())


def _told(one: pb.Outcome) -> tuple[object, ...]:
    """What is the same in each round of a program that does not depend on chance."""
    return one.ending, one.exit_code, one.stdout, one.value_json


def filled(outcomes: list[pb.Outcome], job: Job) -> list[pb.Outcome]:
    """With NOT_RUN for what was not run."""
    missing = len(job.runs) - len(outcomes)
    return outcomes + [pb.Outcome(ending=Outcome.NOT_RUN) for _ in range(missing)]


def _python_command(job: Job) -> dict[str, object]:
    return {
        "do": job.kind,
        "prelude": job.prelude,
        "source": job.source,
        "codes": b"",
        "keep": False,
        "argv": [],
    }


def _calls_command(job: Job, nonce: bytes) -> dict[str, object]:
    return {
        "nonce": nonce,
        "entry_point": job.entry_point,
        "function_only": job.function_only,
        "truths": job.truths,
        "calls": [
            marshal.dumps(arguments, 2) for arguments in job.runs if isinstance(arguments, list)
        ],
        "output_limit": job.limits.output_bytes,
        "stop": job.stop_on_failure,
    }


def _attempts(ended: Ended) -> int:
    """How often a run that ended like this may be tried in all."""
    if (ended.why is Why.LOST and not ended.out_of_memory) or ended.killed_unexplained:
        return ATTEMPTS
    if ended.why is Why.WALL and (ended.stopped or host_is_busy()):
        return WALL_ATTEMPTS
    return 1


def cut(text: str, most: int) -> str:
    """Its beginning, at most so many bytes of UTF-8."""
    return text.encode()[:most].decode("utf-8", "ignore")


def processes_of_user() -> int:
    """Threads of this process's user on the host, all that RLIMIT_NPROC counts."""
    uid, count = os.geteuid(), 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if entry.stat().st_uid == uid:
                    count += len(os.listdir(f"/proc/{entry.name}/task"))
            except OSError:  # gone meanwhile
                continue
    return count
