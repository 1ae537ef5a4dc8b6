"""Every default and every cap of the sandbox, each with its reason, and the check of a request.

Invariant: a request that passes `check` can be run as it stands; one that does not gets a message
that names the field, the limit and what was received. Nothing is clamped silently.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sandbox.v1 import sandbox_pb2 as pb

MIB = 1 << 20

# Contest problems allow 1 to 5 s for C++; Python solutions are given several times that.
DEFAULT_CPU_SECONDS = 10.0
# Twelve times the default: whatever needs more is a job, not a check.
MAX_CPU_SECONDS = 120.0
# Python's own start of a run takes a millisecond or two; less is a mistake in the request.
MIN_CPU_SECONDS = 0.01
# Wall time is the looser limit: a program that waits its turn on a busy host must not fail.
WALL_FACTOR = 2.0
WALL_SLACK_SECONDS = 2.0
MAX_WALL_SECONDS = 600.0
MIN_WALL_SECONDS = 0.05
# What contest sites allow at most, rounded up.
DEFAULT_MEMORY_BYTES = 512 * MIB
MAX_MEMORY_BYTES = 8192 * MIB
# The driver and the interpreter's files take about 16 MiB of it.
MIN_MEMORY_BYTES = 32 * MIB
# The largest expected outputs of contest problems are a few MiB.
DEFAULT_OUTPUT_BYTES = 16 * MIB
MAX_OUTPUT_BYTES = 64 * MIB
# Thread pools and a few subprocesses, while a fork bomb stays cheap.
DEFAULT_PROCESSES = 64
MAX_PROCESSES = 1024

# Fifty times the longest programs that models write; bounds the compiler's work.
MAX_SOURCE_BYTES = 1 * MIB
# The largest published test sets have some hundreds of tests for a problem.
MAX_RUNS = 10_000
# Inputs and outputs of one request are held in the server's memory.
MAX_INPUT_BYTES = 256 * MIB
MAX_RESULT_BYTES = 256 * MIB
# Kept of a run's standard error.
STDERR_BYTES = 64 * 1024
# Kept of the compiler's messages.
DIAGNOSTICS_BYTES = 64 * 1024
# Compiling: C++ with the whole standard library takes about a second of CPU time and 300 MiB,
# heavy templates several times that.
COMPILE_CPU_SECONDS = 20.0
COMPILE_WALL_SECONDS = WALL_FACTOR * COMPILE_CPU_SECONDS + WALL_SLACK_SECONDS
COMPILE_MEMORY_BYTES = 2048 * MIB
COMPILE_PROCESSES = 64
# A compiled program: static arrays with values make the largest honest ones.
MAX_ARTIFACT_BYTES = 32 * MIB
# Compiled programs kept in the server's memory.
CACHE_BYTES = 512 * MIB

# Requests waiting for a slot: some minutes of work for a small machine.
DEFAULT_MAX_QUEUED = 10_000
# User ids are handed out in blocks of twice this many for each server (see uids.py).
MAX_SLOTS = 128
# Bytes of a gRPC message: the largest inputs and what surrounds them.
MAX_MESSAGE_BYTES = MAX_INPUT_BYTES + 16 * MIB

# Init ends runs at their wall limit, and answers everything else at once; silent for so much
# longer, it stands still. Enough for a zygote that starts on a crowded host.
INIT_SECONDS = 30.0

# Within the jail.
TMP_BYTES = 64 * MIB
# The files of a run: a checker's input, output and answer.
MAX_FILES_BYTES = 3 * MAX_OUTPUT_BYTES
# Headers and their like.
MAX_FILES = 64
# Arguments of a command, in all.
MAX_ARGUMENT_BYTES = 64 * 1024
# One program's source or artifact and the files beside it; the rest is the file system's own.
BOX_BYTES = MAX_FILES_BYTES + 2 * MAX_ARTIFACT_BYTES
# A program and another take turns so often at most, to tell which of them is faster.
MAX_ROUNDS = 100
# What an interactor may wait beyond its program's wall time.
INTERACTOR_SLACK_SECONDS = 5.0
MIN_FILE_BYTES = 4096
MIN_STACK_BYTES = 64 * 1024
# Recursion through C code (lru_cache, sorted with a key) takes about 500 bytes of C stack a
# level; 10^5 levels are usual in contests. Untouched stack costs nothing. It is the soft limit:
# programs raise it, up to what the host allows, and the memory cgroup bounds what they use.
STACK_BYTES = 256 * MIB
OPEN_FILES = 1024


class InvalidRequest(ValueError):
    """The request cannot be run as it stands; the message names the field."""


@dataclass(frozen=True, slots=True)
class RunLimits:
    """The limits of one run, all present."""

    cpu_seconds: float
    wall_seconds: float
    memory_bytes: int
    output_bytes: int
    processes: int
    file_bytes: int
    stack_bytes: int


COMPILE_LIMITS = RunLimits(
    cpu_seconds=COMPILE_CPU_SECONDS,
    wall_seconds=COMPILE_WALL_SECONDS,
    memory_bytes=COMPILE_MEMORY_BYTES,
    output_bytes=MAX_ARTIFACT_BYTES,
    processes=COMPILE_PROCESSES,
    file_bytes=TMP_BYTES,
    stack_bytes=STACK_BYTES,
)


def _plain(value: float) -> str:
    """Whole numbers with all their digits."""
    return str(int(value)) if math.isfinite(value) and value == int(value) else f"{value:g}"


def _within(name: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise InvalidRequest(
            f"limits.{name} must be from {_plain(low)} to {_plain(high)}, got {_plain(value)}"
        )


def run_limits(asked: pb.Limits | None = None) -> RunLimits:
    """Fills in the defaults and refuses what lies outside the caps."""
    asked = asked or pb.Limits()
    cpu = asked.cpu_seconds if asked.HasField("cpu_seconds") else DEFAULT_CPU_SECONDS
    _within("cpu_seconds", cpu, MIN_CPU_SECONDS, MAX_CPU_SECONDS)
    wall = WALL_FACTOR * cpu + WALL_SLACK_SECONDS
    if asked.HasField("wall_seconds"):
        wall = asked.wall_seconds
    _within("wall_seconds", wall, MIN_WALL_SECONDS, MAX_WALL_SECONDS)
    memory = asked.memory_bytes if asked.HasField("memory_bytes") else DEFAULT_MEMORY_BYTES
    _within("memory_bytes", memory, MIN_MEMORY_BYTES, MAX_MEMORY_BYTES)
    output = asked.output_bytes if asked.HasField("output_bytes") else DEFAULT_OUTPUT_BYTES
    _within("output_bytes", output, 1, MAX_OUTPUT_BYTES)
    processes = asked.processes if asked.HasField("processes") else DEFAULT_PROCESSES
    _within("processes", processes, 1, MAX_PROCESSES)
    file = asked.file_bytes if asked.HasField("file_bytes") else TMP_BYTES
    _within("file_bytes", file, MIN_FILE_BYTES, TMP_BYTES)
    stack = asked.stack_bytes if asked.HasField("stack_bytes") else STACK_BYTES
    _within("stack_bytes", stack, MIN_STACK_BYTES, MAX_MEMORY_BYTES)
    return RunLimits(cpu, wall, memory, output, processes, file, stack)


def default_limits() -> pb.Limits:
    return _message(run_limits())


def max_limits() -> pb.Limits:
    return _message(
        RunLimits(
            MAX_CPU_SECONDS,
            MAX_WALL_SECONDS,
            MAX_MEMORY_BYTES,
            MAX_OUTPUT_BYTES,
            MAX_PROCESSES,
            TMP_BYTES,
            MAX_MEMORY_BYTES,
        )
    )


def _message(limits: RunLimits) -> pb.Limits:
    return pb.Limits(
        cpu_seconds=limits.cpu_seconds,
        wall_seconds=limits.wall_seconds,
        memory_bytes=limits.memory_bytes,
        output_bytes=limits.output_bytes,
        processes=limits.processes,
        file_bytes=limits.file_bytes,
        stack_bytes=limits.stack_bytes,
    )


# By name, without a directory.
Files = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Command:
    """A run of a program as a command."""

    args: tuple[str, ...]
    stdin: bytes
    files: Files


@dataclass(frozen=True, slots=True)
class Job:
    """A checked request. `kind` is "input", "call", "snippet", "command" or "dialogue"; `runs`
    holds for each run the bytes of its standard input, its list of arguments, the text of its
    snippet, or the command; of a dialogue the `interactor` has the commands."""

    id: str
    language: str
    prelude: str
    source: str
    kind: str
    runs: tuple[bytes | str | list[object] | Command, ...]
    entry_point: str
    function_only: bool
    type_check: bool
    limits: RunLimits
    stop_on_failure: bool
    deadline_seconds: float | None
    files: Files = ()
    rival: str | None = None
    rounds: int = 1
    interactor: Job | None = field(default=None)
    # Of a dialogue: after any other exit code of the interactor the program is stopped.
    going_on: int = 0
    # Of calls: those of which the truth alone is told.
    truths: frozenset[int] = frozenset()

    def of_rival(self) -> Job:
        """The same work for the rival."""
        assert self.rival is not None
        return replace(self, source=self.rival, rival=None, rounds=1)


# The one language whose functions can be called, and whose programs take a prelude.
CALLED = "python"
TYPE_CHECKED = "typescript"
# Their warm compilers take a program's text alone.
WARM = ("java", "typescript")


def check(request: pb.RunRequest, languages: Collection[str], missing: Mapping[str, str]) -> Job:
    """The request as a job; raises InvalidRequest.

    `missing` tells for known languages that cannot be run here what they lack.
    """
    if request.language in missing:
        raise InvalidRequest(
            f"language '{request.language}' cannot be run here: {missing[request.language]}"
        )
    if request.language not in languages:
        known = ", ".join(sorted(languages))
        raise InvalidRequest(f"language must be one of {known}, got '{request.language}'")
    if request.language != CALLED:
        if request.WhichOneof("work") in ("calls", "snippets"):
            raise InvalidRequest(
                f"work must be inputs for language '{request.language}', "
                f"got {request.WhichOneof('work')}, which are for {CALLED}"
            )
        if request.prelude:
            raise InvalidRequest(f"prelude is for {CALLED}, got one for '{request.language}'")
    if request.type_check and request.language != TYPE_CHECKED:
        raise InvalidRequest(f"type_check is for {TYPE_CHECKED}, got it for '{request.language}'")
    if not request.source.strip():
        raise InvalidRequest("source must not be empty, got nothing but white space")
    for name, text in (("source", request.source), ("prelude", request.prelude)):
        size = len(text.encode())
        if size > MAX_SOURCE_BYTES:
            raise InvalidRequest(f"{name} must have at most {MAX_SOURCE_BYTES} bytes, got {size}")
    files = _files("files", request.files)
    if files and request.language in WARM:
        raise InvalidRequest(f"files must be empty for '{request.language}', got {len(files)}")
    work = request.WhichOneof("work")
    if request.HasField("rival") and work not in ("inputs", "calls"):
        raise InvalidRequest(f"rival is for inputs and calls, got it with {work}")
    if not request.HasField("rival") and request.rounds:
        raise InvalidRequest(f"rounds is for requests with a rival, got {request.rounds}")
    if request.rounds > MAX_ROUNDS:
        raise InvalidRequest(f"rounds must be at most {MAX_ROUNDS}, got {request.rounds}")
    kind, entry_point, interactor, run = "input", "", None, run_limits(request.limits)
    runs: tuple[bytes | str | list[object] | Command, ...]
    if work == "inputs":
        _count("inputs.stdin", len(request.inputs.stdin))
        runs = tuple(request.inputs.stdin)
        size = sum(map(len, request.inputs.stdin))
    elif work == "calls":
        kind, entry_point = "call", request.calls.entry_point
        parts = entry_point.split(".")
        if len(parts) > 2 or not all(part.isidentifier() for part in parts):
            raise InvalidRequest(
                f"calls.entry_point must be a name or 'Class.method', got '{entry_point}'"
            )
        if request.calls.function_only and len(parts) > 1:
            raise InvalidRequest(
                f"calls.entry_point must be a name where function_only is set, got '{entry_point}'"
            )
        _count("calls.arguments", len(request.calls.arguments))
        size = request.calls.ByteSize()
        _input_bytes("calls.arguments", size)
        runs = tuple(
            [_argument(text, i, j) for j, text in enumerate(call.args_json)]
            for i, call in enumerate(request.calls.arguments)
        )
    elif work == "snippets":
        kind = "snippet"
        _count("snippets.source", len(request.snippets.source))
        runs = tuple(request.snippets.source)
        size = sum(map(len, request.snippets.source))
    elif work == "commands":
        kind = "command"
        runs = _commands("commands.command", request.commands.command, files)
        size = sum(len(command.stdin) for command in request.commands.command)
    elif work == "dialogues":
        kind, size = "dialogue", 0
        interactor = _interactor(request.dialogues, run, languages, missing)
        runs = tuple(b"" for _ in interactor.runs)
    else:
        raise InvalidRequest(
            "work must be one of inputs, calls, snippets, commands and dialogues, got none of them"
        )
    _input_bytes(work, size)
    deadline = request.deadline_ms / 1000 if request.HasField("deadline_ms") else None
    return Job(
        id=request.id,
        language=request.language,
        prelude=request.prelude,
        source=request.source,
        kind=kind,
        runs=runs,
        entry_point=entry_point,
        function_only=request.calls.function_only,
        type_check=request.type_check,
        limits=run,
        stop_on_failure=request.stop_on_failure,
        deadline_seconds=deadline,
        files=files,
        rival=request.rival if request.HasField("rival") else None,
        rounds=request.rounds or 1,
        interactor=interactor,
        going_on=request.dialogues.going_on,
        truths=frozenset(n for n, call in enumerate(request.calls.arguments) if call.truth),
    )


def _interactor(
    dialogues: pb.Dialogues, run: RunLimits, languages: Collection[str], missing: Mapping[str, str]
) -> Job:
    """The interactor as a job of its own; messages name its fields."""
    request = pb.RunRequest(
        language=dialogues.language,
        source=dialogues.source,
        files=dialogues.files,
        commands=pb.Commands(command=dialogues.command),
        limits=dialogues.limits,
    )
    for place, command in enumerate(dialogues.command):
        if command.stdin:
            raise InvalidRequest(
                f"dialogues.command[{place}].stdin must be empty, got {len(command.stdin)} bytes"
            )
    try:
        job = check(request, languages, missing)
    except InvalidRequest as error:
        text = str(error).removeprefix("commands.")
        raise InvalidRequest(f"dialogues.{text}") from None
    # Waiting for the program is no fault of it.
    wall = max(job.limits.wall_seconds, run.wall_seconds + INTERACTOR_SLACK_SECONDS)
    return replace(job, limits=replace(job.limits, wall_seconds=wall))


FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,59}")


def _files(path: str, files: Mapping[str, bytes]) -> Files:
    if len(files) > MAX_FILES:
        raise InvalidRequest(f"{path} must have at most {MAX_FILES} files, got {len(files)}")
    for name in files:
        if not FILE_NAME.fullmatch(name):
            raise InvalidRequest(
                f"{path} must have names of at most 60 letters, digits, '_', '-' and '.', "
                f"got {name!r}"
            )
        if name.lower().partition(".")[0] == "main":
            raise InvalidRequest(f"{path} must leave the name 'main' to the program, got {name!r}")
    size = sum(map(len, files.values()))
    if size > MAX_FILES_BYTES:
        raise InvalidRequest(f"{path} must have at most {MAX_FILES_BYTES} bytes, got {size}")
    return tuple(sorted(files.items()))


def _commands(path: str, commands: Sequence[pb.Command], beside: Files) -> tuple[Command, ...]:
    _count(path, len(commands))
    made = []
    for place, command in enumerate(commands):
        size = sum(len(word.encode()) for word in command.args)
        if size > MAX_ARGUMENT_BYTES or any("\0" in word for word in command.args):
            raise InvalidRequest(
                f"{path}[{place}].args must have at most {MAX_ARGUMENT_BYTES} bytes, none of them "
                f"NUL, got {size}"
            )
        files = _files(f"{path}[{place}].files", command.files)
        twice = {name for name, _ in beside}.intersection(name for name, _ in files)
        if twice:
            raise InvalidRequest(
                f"{path}[{place}].files must not be in files too, got {min(twice)!r}"
            )
        size = sum(len(data) for _, data in (*beside, *files))
        if size > MAX_FILES_BYTES:
            raise InvalidRequest(
                f"{path}[{place}].files must have at most {MAX_FILES_BYTES} bytes with files, "
                f"got {size}"
            )
        made.append(Command(tuple(command.args), command.stdin, files))
    return tuple(made)


def _count(field: str, count: int) -> None:
    if not 1 <= count <= MAX_RUNS:
        raise InvalidRequest(f"{field} must have from 1 to {MAX_RUNS} elements, got {count}")


def _input_bytes(field: str, size: int) -> None:
    if size > MAX_INPUT_BYTES:
        raise InvalidRequest(f"{field} must have at most {MAX_INPUT_BYTES} bytes, got {size}")


# What json.loads comes down to for a text without white space around it, in a fifth of the time.
SCAN = vars(json.JSONDecoder())["scan_once"]


def _argument(text: str, call: int, position: int) -> object:
    try:
        value, end = SCAN(text, 0) if text else (None, -1)
        if end == len(text):
            return value
    except (StopIteration, ValueError, RecursionError):
        pass  # below it is said what is wrong
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(
            f"calls.arguments[{call}].args_json[{position}] must be a JSON text: "
            f"{error}, got {text[:80]!r}"
        ) from None
    return value
