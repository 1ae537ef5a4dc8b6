"""The attack corpus: every class of reference/sandbox.md §7, run against a real sandbox.

Programs live in attacks/, named NN_what.ext: NN is the class, the extension the language. Classes
that are about the server or the verdict rather than about a program are tests at the end of this
file. A program starts with comment lines; those of the form `key: value` are read here:

    expect: RE|CPU          how it may end; one word for each run, or one for all of them.
                            EXIT<n> SIG<n> RE (an exit code but 0, or a signal) CPU WALL MLE OLE
                            RETURNED RAISED NOT_RUN ANY, or for the whole of it CE (does not
                            compile) and INVALID (refused)
    prints: text            standard output of every run that exits with 0, but for the last
                            newline; repeated: its lines; \\n, \\x00 and the like are escapes
    never_prints: text      is in no output, error or diagnostics; may be repeated
    returns: 1 [2]          the values of the calls that returned, in order, as JSON
    completed: no yes       whether the ends of the snippets were reached
    differs: yes            no two runs, of all submissions, print the same
    stdin: text             standard input of one run, with escapes; repeated: more runs
    stdin_bytes: 64M        so many bytes of standard input in place of that
    calls: f [1] [2, 3]     calls of f with these arguments, in place of runs with input
    snippets: text          text after the program, in place of input; may be repeated
    limits: cpu=1 wall=3 memory=256M processes=64 output=1M file=1M stack=8M
    runs: 2                 repeats the runs within the submission: nothing may pass from one on
    submissions: 2          repeats the submission: nothing may pass from one on
    type_check: yes         sets type_check
    within: 10              seconds that one submission may take; default WITHIN
    tiers: T3 T2            where it makes sense; default everywhere
    machine: x86_64         the same for the machine

`key@T1: value` takes the place of `key` at tier T1. A program prints what got through, a line each,
and then "contained"; with `prints: contained` a failure says what it reached.

After each program the next ordinary run must be right, and nothing may be left (see Snapshot).
The sandbox has one slot, so what one program left would meet the next one.

$ATTACK_SANDBOXES selects what is attacked, by names of SANDBOXES and a comma between them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import platform
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox import limits
from sandbox.client import EmbeddedSandbox, QueueFull, Sandbox, SandboxUnavailable
from sandbox.v1 import sandbox_pb2 as pb
from verifier.code.verify import CodeVerifier, Submission
from verifier.v1 import verifier_pb2 as vpb

# But for other attacks: two workers leave each other a core, and look at what is theirs alone.
pytestmark = pytest.mark.alone

Outcome = pb.Outcome
Factory = Callable[[], Awaitable[Sandbox]]

CORPUS = Path(__file__).parent / "attacks"
CLASSES = 62
# Classes whose attacks are tests in this file, since they need more than one program, or a verdict.
HERE = {34, 51, 52, 57, 58, 59, 60, 61, 62}
LANGUAGES = {
    "py": "python", "c": "c", "cpp": "cpp", "java": "java", "js": "javascript", "ts": "typescript",
    "cs": "csharp", "php": "php", "sh": "bash", "go": "go", "rs": "rust", "rb": "ruby",
}  # fmt: skip
ENDINGS = {
    "CPU": Outcome.CPU_LIMIT, "WALL": Outcome.WALL_LIMIT, "MLE": Outcome.MEMORY_LIMIT,
    "OLE": Outcome.OUTPUT_LIMIT, "RETURNED": Outcome.RETURNED, "RAISED": Outcome.RAISED,
    "NOT_RUN": Outcome.NOT_RUN,
}  # fmt: skip
LIMITS = {
    "cpu": "cpu_seconds", "wall": "wall_seconds", "memory": "memory_bytes",
    "output": "output_bytes", "processes": "processes", "file": "file_bytes",
    "stack": "stack_bytes",
}  # fmt: skip
DEFAULT_LIMITS = "cpu=2 wall=8 memory=256M output=1M"
KEYS = {
    "expect", "prints", "never_prints", "returns", "completed", "differs", "stdin", "stdin_bytes",
    "calls", "snippets", "limits", "runs", "submissions", "type_check", "within", "tiers",
    "machine",
}  # fmt: skip
# A compiler may take its 10 s of CPU time on a host whose cores are shared.
WITHIN = 30.0
# Above its limit: the time between two looks at it, on every core.
CPU_SLACK, WALL_SLACK = 1.5, 2.5
KEPT_OF_STDERR = 64 * 1024
# Until what is killed behind the caller's back is gone and the slot is warm again.
SETTLE_SECONDS = 20.0


# ---- the corpus ------------------------------------------------------------------------------


def escaped(text: str) -> bytes:
    """\\n, \\t, \\\\ and \\xNN in a text."""
    return re.sub(
        rb"\\(x[0-9a-f]{2}|.)",
        lambda m: (
            {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(m[1])
            or (bytes([int(m[1][1:], 16)]) if len(m[1]) == 3 else m[1])
        ),
        text.encode(),
    )


def size(text: str) -> int:
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    return int(text[:-1]) * units[text[-1]] if text[-1] in units else int(text)


def json_texts(text: str) -> list[str]:
    """JSON texts with spaces between them, each as it stands."""
    found, at = [], 0
    while (at := at + len(text[at:]) - len(text[at:].lstrip())) < len(text):
        _, end = json.JSONDecoder().raw_decode(text, at)
        found.append(text[at:end])
        at = end
    return found


@dataclass(frozen=True)
class Attack:
    """A program of the corpus with its header."""

    name: str
    language: str
    source: str
    header: dict[str, list[str]]

    @property
    def number(self) -> int:
        return int(self.name[:2])

    def all(self, key: str, tier: str = "") -> list[str]:
        return self.header.get(f"{key}@{tier}") or self.header.get(key, [])

    def one(self, key: str, default: str, tier: str = "") -> str:
        values = self.all(key, tier) or [default]
        assert len(values) == 1, f"{self.name}: {key} is given {len(values)} times"
        return values[0]

    def limits(self, tier: str = "") -> pb.Limits:
        given = pb.Limits()
        for pair in f"{DEFAULT_LIMITS} {self.one('limits', '', tier)}".split():
            name, _, value = pair.partition("=")
            setattr(given, LIMITS[name], float(value) if name in ("cpu", "wall") else size(value))
        return given

    def request(self, tier: str = "") -> pb.RunRequest:
        made = pb.RunRequest(
            id=self.name, language=self.language, source=self.source, limits=self.limits(tier)
        )
        if self.one("type_check", "no") == "yes":
            made.type_check = True
        times = int(self.one("runs", "1"))
        if calls := self.one("calls", ""):
            made.calls.entry_point, _, lists = calls.partition(" ")
            for text in json_texts(lists) * times:
                arguments = [json.dumps(value) for value in json.loads(text)]
                made.calls.arguments.add(args_json=arguments)
        elif snippets := self.all("snippets"):
            made.snippets.source.extend([escaped(text).decode() for text in snippets] * times)
        elif count := self.one("stdin_bytes", ""):
            made.inputs.stdin.extend([b"7" * size(count)] * times)
        else:
            made.inputs.stdin.extend([escaped(text) for text in self.all("stdin") or [""]] * times)
        return made


def read(path: Path) -> Attack:
    source = path.read_text()
    mark = "#" if path.suffix in (".py", ".sh", ".rb") else "//"
    header: dict[str, list[str]] = {}
    for line in source.splitlines():
        if line.startswith(("<?php", "#!")):
            continue
        if not line.startswith(mark):
            break
        if found := re.fullmatch(r"([a-z_]+)(@T\d)?:(?: (.*))?", line.removeprefix(mark).strip()):
            key, tier, value = found.groups(default="")
            if key == "ruff":
                continue
            assert key in KEYS, f"{path.name}: unknown key {key}"
            header.setdefault(key + tier, []).append(value)
    return Attack(path.name, LANGUAGES[path.suffix[1:]], source, header)


ATTACKS = [read(path) for path in sorted(CORPUS.iterdir()) if path.suffix[1:] in LANGUAGES]


# ---- expectations ----------------------------------------------------------------------------


def meets(word: str, outcome: pb.Outcome, memory_counted: bool = True) -> bool:
    """Does an outcome meet one word of `expect`?

    Where memory is not counted, a program that reaches its limit sees its allocations fail.
    """
    code, number = outcome.exit_code, outcome.signal
    exited, signalled = outcome.ending == Outcome.EXITED, outcome.ending == Outcome.SIGNALLED
    if word in ("CE", "INVALID"):
        return False
    if word == "ANY":
        return outcome.ending != Outcome.UNSPECIFIED
    if word == "RE" or (word == "MLE" and not memory_counted):
        return (exited and code != 0) or signalled or outcome.ending == ENDINGS.get(word)
    if word.startswith("EXIT"):
        return exited and outcome.HasField("exit_code") and code == int(word[4:])
    if word.startswith("SIG"):
        return signalled and number == int(word[3:])
    return outcome.ending == ENDINGS[word]


def shown(outcome: pb.Outcome) -> str:
    """An outcome in one line."""
    name = Outcome.Ending.Name(outcome.ending)
    if outcome.HasField("exit_code"):
        name += f" {outcome.exit_code}"
    if outcome.HasField("signal"):
        name += f" {outcome.signal}"
    parts = [name, f"cpu {outcome.cpu_us / 1e6:.2f} s", f"wall {outcome.wall_us / 1e6:.2f} s"]
    parts.append(f"peak {outcome.peak_memory_bytes >> 20} MiB")
    for label, data in (("stdout", outcome.stdout), ("stderr", outcome.stderr)):
        if data:
            parts.append(f"{label} {data[:300]!r}{'...' if len(data) > 300 else ''}")
    for label, text in (("value", outcome.value_json), ("error", outcome.error)):
        if text:
            parts.append(f"{label} {text[:300]!r}")
    return ", ".join(parts)


def said(result: pb.RunResult) -> str:
    """All text of a result."""
    parts = [result.message, result.diagnostics]
    for one in result.outcomes:
        parts += [one.value_json, one.error]
        parts += [one.stdout.decode("utf-8", "replace"), one.stderr.decode("utf-8", "replace")]
    return "\n".join(parts)


def text_of(data: bytes) -> str:
    return data.removesuffix(b"\n").decode("utf-8", "backslashreplace")


def violations(
    attack: Attack, result: pb.RunResult, tier: str = "T3", memory_counted: bool = True
) -> list[str]:
    """What in a result goes against the header of its program; [] when nothing does."""
    bad: list[str] = []
    words = attack.one("expect", "EXIT0", tier).split()
    whole = set(words[0].split("|")) if len(words) == 1 else set()
    for text in attack.all("never_prints", tier):
        if escaped(text).decode() in said(result):
            bad.append(f"it prints {text!r}")
    allowed = attack.limits(tier)
    if result.status == pb.RunResult.INVALID and "INVALID" in whole:
        return bad
    if result.status != pb.RunResult.OK:
        return [*bad, f"status {pb.RunResult.Status.Name(result.status)}: {result.message}"]
    if result.compile_failed:
        if "CE" not in whole:
            bad.append(f"it does not compile: {result.diagnostics[:2000]}")
        if any(one.ending != Outcome.NOT_RUN for one in result.outcomes):
            bad.append("it does not compile and runs")
    if len(result.diagnostics.encode()) > KEPT_OF_STDERR:
        bad.append(f"{len(result.diagnostics)} characters of diagnostics")
    if result.compile_failed:
        return bad
    request = attack.request(tier)
    work = request.WhichOneof("work")
    runs = {"inputs": "stdin", "calls": "arguments", "snippets": "source"}[work]
    count = len(getattr(getattr(request, work), runs))
    if len(result.outcomes) != count:
        return [*bad, f"{len(result.outcomes)} outcomes of {count} runs"]
    if len(words) == 1:
        words = words * count
    if len(words) != count:
        return [*bad, f"the header expects {len(words)} outcomes of {count} runs"]
    wanted = "\n".join(
        escaped(t).decode("utf-8", "backslashreplace") for t in attack.all("prints", tier)
    )
    for place, (word, outcome) in enumerate(zip(words, result.outcomes, strict=True)):
        where = f"run {place}: "
        if not any(meets(w, outcome, memory_counted) for w in word.split("|")):
            bad.append(f"{where}expected {word}, got {shown(outcome)}")
        ended = outcome.ending == Outcome.EXITED and outcome.exit_code == 0
        if attack.all("prints", tier) and ended and text_of(outcome.stdout) != wanted:
            bad.append(f"{where}expected output {wanted[:300]!r}, got {shown(outcome)}")
        if outcome.cpu_us > (allowed.cpu_seconds + CPU_SLACK) * 1e6:
            bad.append(
                f"{where}its CPU limit of {allowed.cpu_seconds} s is passed: {shown(outcome)}"
            )
        if outcome.wall_us > (allowed.wall_seconds + WALL_SLACK) * 1e6:
            bad.append(
                f"{where}its wall limit of {allowed.wall_seconds} s is passed: {shown(outcome)}"
            )
        for data, cap in (
            (outcome.stdout, allowed.output_bytes),
            (outcome.stderr, KEPT_OF_STDERR),
            (outcome.value_json, allowed.output_bytes),
        ):
            if len(data) > cap:
                bad.append(f"{where}{len(data)} bytes of output, at most {cap} are allowed")
    if attack.header.get("returns"):
        got = [o.value_json for o in result.outcomes if o.ending == Outcome.RETURNED]
        values = json_texts(attack.one("returns", ""))
        if got != values:
            bad.append(
                f"expected values {values}, got {got}: {[shown(o) for o in result.outcomes]}"
            )
    if completed := attack.one("completed", ""):
        flags = ["yes" if o.completed else "no" for o in result.outcomes]
        if flags != completed.split():
            bad.append(f"expected completed {completed}, got {flags}")
    return bad


# ---- what may be left ------------------------------------------------------------------------


def process_table() -> dict[int, tuple[int, str, int]]:
    """Pid to parent, state and real user."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                found[int(entry.name)] = (int(parent), state, entry.stat().st_uid)
    return found


def below(pid: int, table: dict[int, tuple[int, str, int]]) -> set[int]:
    children: dict[int, list[int]] = {}
    for child, (parent, _, _) in table.items():
        children.setdefault(parent, []).append(child)
    found: set[int] = set()
    todo = [pid]
    while todo:
        new = children.get(todo.pop(), [])
        found.update(new)
        todo += new
    return found


def command(pid: int) -> str:
    """The name of a process's program, not to be taken for its word."""
    try:
        first = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    except (FileNotFoundError, ProcessLookupError):
        return "(gone)"
    return os.path.basename(first.decode("utf-8", "replace")) or "(no command)"


def group_directories(pids: set[int]) -> dict[str, list[str]]:
    """The control groups made by this process or one below it, and the processes in them."""
    found = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        if not right.startswith("cgroup"):
            continue
        # os.walk passes over what goes away meanwhile, which groups of other servers do.
        for directory, _, _ in os.walk(left.split(" ")[4]):
            ours = [name for name in Path(directory).parts if name.startswith("touchstone-")]
            if ours and pids.intersection(map(int, re.findall(r"\d+", ours[0]))):
                with contextlib.suppress(OSError):
                    found[directory] = (Path(directory) / "cgroup.procs").read_text().split()
    return found


def mounts() -> tuple[str, ...]:
    """The mounts of this process's namespace, without those of a Docker engine at work here."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return tuple(line for line in lines if "docker" not in line.split(" ")[4])


CACHED, MOST_CACHED = "/memfd:program (deleted)", 128


def descriptors() -> Counter[str]:
    found: Counter[str] = Counter()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):
            found[re.sub(r":?\[\d+\]|/proc/\d+", "", os.readlink(f"/proc/self/fd/{name}"))] += 1
    # Compiled programs that are kept open, as many as the cache may hold.
    found[CACHED] = max(0, found[CACHED] - MOST_CACHED)
    return +found


def host_files(own: Path, users: set[int]) -> set[str]:
    """Everything in this server's own temporary directory; elsewhere what a program's user owns.

    At tiers 1 and 2 a box/ holds the last program until the next one comes.
    """
    found = {str(path) for path in own.rglob("*") if path.parent.name != "box"}
    for shared in ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue"):
        with contextlib.suppress(OSError):
            for entry in os.scandir(shared):
                with contextlib.suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_uid in users:
                        found.add(entry.path)
    return found


def shared_memory(users: set[int]) -> set[str]:
    found = set()
    for kind in ("shm", "sem", "msg"):
        with contextlib.suppress(OSError):
            head, *rows = Path(f"/proc/sysvipc/{kind}").read_text().splitlines()
            column = head.split().index("uid")
            found |= {f"{kind} {row}" for row in rows if int(row.split()[column]) in users}
    return found


@dataclass(frozen=True)
class Snapshot:
    """What a program could leave on the host."""

    # Processes below this one, by the name of their program.
    processes: Counter[str] = field(default_factory=Counter)
    zombies: int = 0
    # Processes of the programs' users that are not below this one.
    escaped: frozenset[str] = frozenset()
    mounts: tuple[str, ...] = ()
    descriptors: Counter[str] = field(default_factory=Counter)
    groups: frozenset[str] = frozenset()
    # Members of this server's groups that are not below this process.
    strangers: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    shared_memory: frozenset[str] = frozenset()


def snapshot(own_tmp: Path, users: set[int]) -> Snapshot:
    table, me = process_table(), os.getpid()
    mine = below(me, table)
    living = {pid for pid in mine if table[pid][1] != "Z"}
    groups = group_directories(mine | {me})
    members = {pid for pids in groups.values() for pid in pids}
    return Snapshot(
        processes=Counter(command(pid) for pid in living),
        zombies=sum(table[pid][1] == "Z" and table[pid][0] == me for pid in mine),
        escaped=frozenset(
            f"{pid} {command(pid)}"
            for pid, (_, state, user) in table.items()
            if user in users and state != "Z" and pid not in mine
        ),
        mounts=mounts(),
        descriptors=descriptors(),
        groups=frozenset(groups),
        strangers=frozenset(members - {str(pid) for pid in mine | {me}}),
        files=frozenset(host_files(own_tmp, users)),
        shared_memory=frozenset(shared_memory(users)),
    )


def left_over(before: Snapshot, after: Snapshot) -> list[str]:
    """What there is more of than before; fewer idle processes are no leftover."""
    found = []
    for name in ("processes", "descriptors"):
        if more := getattr(after, name) - getattr(before, name):
            found.append(f"{name}: {dict(more)}")
    for name in ("escaped", "groups", "strangers", "files", "shared_memory"):
        if more := getattr(after, name) - getattr(before, name):
            found.append(f"{name}: {sorted(more)[:20]}")
    if after.zombies > before.zombies:
        found.append(f"zombies: {after.zombies - before.zombies}")
    if after.mounts != before.mounts:
        found.append(f"mounts: {sorted(set(after.mounts) ^ set(before.mounts))[:20]}")
    return found


# ---- what comes next -------------------------------------------------------------------------

# An ordinary program of each language, which reads two numbers and prints their sum. The one in
# Python, run after every attack, also says what it finds that is not its own.
ORDINARY = {
    "python": """
import builtins, json, math, os, random, sys
a, b = map(int, input().split())
found = [n for n in os.listdir(".") if n != "main.py"]
isolated = os.path.isdir("/box")  # tiers 1 and 2 have no root, and no pid space, of their own
if isolated:
    found += [n for n in os.listdir("/dev/shm") if n != "main.py"]
    found += [n for n in os.listdir("/proc/self/fd") if n not in "0123"]
if isolated:  # a pid space of its own; elsewhere others are none of its business
    found += [p for p in os.listdir("/proc") if p.isdigit() and p != str(os.getpid())]
found += [n for n in dir(builtins) if "touch" in n or "mark" in n]
found += [n for n in os.environ if n not in ("PATH", "HOME", "TMPDIR", "LANG", "LC_CTYPE", "PYTHONHASHSEED")]
if json.dumps([1, {"a": None}]) != '[1, {"a": null}]' or json.loads("[1]") != [1] or math.gcd(4, 6) != 2:
    found.append("changed modules")
if sys.getrecursionlimit() != 1000 or sys.stdin.read() or len(sys.argv) != 1:
    found.append("changed interpreter")
print(a + b, *found)
""",
    "cpp": "#include <cstdio>\nint main() { int a, b; if (scanf(\"%d %d\", &a, &b) == 2) printf(\"%d\\n\", a + b); }",
    "java": (
        "import java.util.*;\npublic class Main {\n  public static void main(String[] a) {\n"
        "    Scanner in = new Scanner(System.in);\n"
        "    System.out.println(in.nextInt() + in.nextInt());\n  }\n}"
    ),
    "javascript": (
        "const [a, b] = require('fs').readFileSync(0, 'utf8').split(' ').map(Number);\n"
        "console.log(a + b);"
    ),
    "typescript": (
        "declare const require: any;\n"
        "const [a, b]: number[] = require('fs').readFileSync(0, 'utf8').split(' ').map(Number);\n"
        "console.log(a + b);"
    ),
    "csharp": (
        "using System;\nclass Program {\n  static void Main() {\n"
        "    var p = Console.ReadLine().Split(' ');\n"
        "    Console.WriteLine(int.Parse(p[0]) + int.Parse(p[1]));\n  }\n}"
    ),
    "php": "<?php\n[$a, $b] = explode(' ', trim(fgets(STDIN)));\necho $a + $b, \"\\n\";",
    "c": "#include <stdio.h>\nint main(void) { int a, b; if (scanf(\"%d %d\", &a, &b) == 2) printf(\"%d\\n\", a + b); return 0; }",
    "bash": "read -r a b\necho $((a + b))",
    "go": "package main\nimport \"fmt\"\nfunc main() { var a, b int; fmt.Scan(&a, &b); fmt.Println(a + b) }",
    "rust": (
        "fn main() {\n  let mut line = String::new();\n"
        "  std::io::stdin().read_line(&mut line).unwrap();\n"
        "  println!(\"{}\", line.split_whitespace().map(|w| w.parse::<i64>().unwrap()).sum::<i64>());\n}"
    ),
    "ruby": "puts gets.split.sum(&:to_i)",
}  # fmt: skip


def ordinary(language: str) -> pb.RunRequest:
    return pb.RunRequest(
        id="ordinary", language=language, source=ORDINARY[language],
        inputs=pb.Inputs(stdin=[b"40 2\n", b"-3 1\n"]),
    )  # fmt: skip


async def ordinary_is_wrong(sandbox: Sandbox, language: str) -> list[str]:
    result = await sandbox.run(ordinary(language))
    got = [(o.ending, o.exit_code, o.stdout) for o in result.outcomes]
    if got == [(Outcome.EXITED, 0, b"42\n"), (Outcome.EXITED, 0, b"-2\n")]:
        return []
    name = pb.RunResult.Status.Name(result.status)
    told = [shown(o) for o in result.outcomes]
    return [f"the next {language} run: {name} {result.message}{result.diagnostics[:500]} {told}"]


# ---- the sandboxes that are attacked ---------------------------------------------------------


# What a compiler gets here, instead of the 30 s and more of a real server, so that the bombs end
# within a test's time. No ordinary program of this file needs a tenth of it.
COMPILE_CPU, COMPILE_WALL = 4.0, 20.0


async def start(tier: str) -> Sandbox:
    return await EmbeddedSandbox.start(slots=1, tier=tier, require_tier=tier)


async def start_containers() -> Sandbox:
    from sandbox.docker import DockerSandbox, Settings

    image = os.environ.get("TOUCHSTONE_IMAGE", "touchstone")
    return await DockerSandbox.start(Settings(image=image, containers=1))


# "T3" is what this user's server has: with two users as root, with one as anybody else.
SANDBOXES: dict[str, Factory] = {
    **{tier: partial(start, tier) for tier in ("T3", "T2", "T1")},
    "docker": start_containers,
}


def sandboxes() -> list[tuple[str, Factory]]:
    names = os.environ.get("ATTACK_SANDBOXES", "T3").split(",")
    return [(name, SANDBOXES[name]) for name in names]


@dataclass
class Target:
    """A sandbox under attack, and the host as it was before."""

    sandbox: Sandbox
    tier: str
    memory_counted: bool
    languages: dict[str, str]  # what is missing, "" when nothing is
    own_tmp: Path
    users: set[int]
    before: Snapshot
    canary: str

    async def left(self) -> list[str]:
        """What is left once the host has settled."""
        end = time.monotonic() + SETTLE_SECONDS
        while found := left_over(self.before, snapshot(self.own_tmp, self.users)):
            if time.monotonic() > end:
                return [f"left over: {one}" for one in found]
            await asyncio.sleep(0.02)
        return []

    async def attack(self, attack: Attack) -> list[str]:
        """Everything that is wrong during and after a program."""
        bad, outputs = [], []
        for number in range(int(attack.one("submissions", "1"))):
            began = time.monotonic()
            result = await self.sandbox.run(attack.request(self.tier))
            took = time.monotonic() - began
            where = f"submission {number}: " if number else ""
            bad += [
                where + one for one in violations(attack, result, self.tier, self.memory_counted)
            ]
            if took > float(attack.one("within", str(WITHIN))):
                bad.append(f"{where}took {took:.1f} s")
            if self.canary in said(result):
                bad.append(f"{where}it found the server's secret")
            outputs += [(o.stdout, o.value_json) for o in result.outcomes]
        if attack.one("differs", "no") == "yes" and len(set(outputs)) < len(outputs):
            bad.append(f"runs print the same: {outputs}")
        for language in {"python", attack.language}:
            bad += await ordinary_is_wrong(self.sandbox, language)
        return bad + await self.left()


async def users_below(sandbox: Sandbox) -> set[int]:
    """The users that the sandbox runs programs as."""
    source = "import time\ntime.sleep(0.4)"
    slow = pb.RunRequest(language="python", source=source, inputs=pb.Inputs(stdin=[b""]))
    task = asyncio.ensure_future(sandbox.run(slow))
    seen: set[int] = set()
    while not task.done():
        table = process_table()
        seen |= {table[pid][2] for pid in below(os.getpid(), table)}
        await asyncio.sleep(0.02)
    await task
    return seen - {os.getuid(), 0}


@contextlib.asynccontextmanager
async def under_attack(factory: Factory, own_tmp: Path) -> AsyncIterator[Target]:
    """Starts a sandbox in a process that has a secret, and runs each language once.

    Raises SandboxUnavailable.
    """
    canary = "canary-" + secrets.token_hex(8)
    # At tier 2 programs have another user, who must get to their directory.
    for above in (own_tmp, *own_tmp.parents):
        if above.stat().st_uid == os.geteuid() and above.stat().st_mode & 0o077 == 0:
            above.chmod(0o711)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(own_tmp))
        patch.setenv("TOUCHSTONE_EXPECTED", canary)
        patch.setattr(tempfile, "tempdir", None)
        own_tmp.chmod(0o755)
        (own_tmp / "expected.txt").write_text(canary)
        sandbox = await factory()
        try:
            told = await sandbox.describe()
            languages = {one.name: getattr(one, "missing", "") for one in told.languages}
            counted = any(m.name == "cgroup" and m.in_force for m in told.mechanisms)
            for language in ORDINARY:
                if languages.get(language) == "":
                    assert await ordinary_is_wrong(sandbox, language) == []
            if languages.get("typescript") == "":  # its slower compiler is started when asked for
                checked = ordinary("typescript")
                checked.type_check = True
                await sandbox.run(checked)
            # From here on: compilers that start beside other work take longer than bombs may.
            patch.setattr(limits, "COMPILE_CPU_SECONDS", COMPILE_CPU)
            patch.setattr(limits, "COMPILE_WALL_SECONDS", COMPILE_WALL)
            shorter = replace(
                limits.COMPILE_LIMITS, cpu_seconds=COMPILE_CPU, wall_seconds=COMPILE_WALL
            )
            patch.setattr(limits, "COMPILE_LIMITS", shorter)
            users = await users_below(sandbox)
            await asyncio.sleep(0.5)
            yield Target(
                sandbox, pb.Tier.Name(told.tier), counted, languages, own_tmp, users,
                snapshot(own_tmp, users), canary,
            )  # fmt: skip
        finally:
            await sandbox.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=sandboxes(), ids=lambda p: p[0])
async def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Target]:
    try:
        async with under_attack(request.param[1], tmp_path_factory.mktemp("attacks")) as found:
            yield found
    except SandboxUnavailable as error:
        pytest.skip(str(error))


module_loop = pytest.mark.asyncio(loop_scope="module")


def skip_where_it_makes_no_sense(attack: Attack, target: Target) -> None:
    if (missing := target.languages.get(attack.language, "the sandbox does not know it")) != "":
        pytest.skip(f"{attack.language}: {missing}")
    if target.tier not in attack.one("tiers", "T1 T2 T3").split():
        pytest.skip(f"not for tier {target.tier}")
    if attack.one("machine", platform.machine()) != platform.machine():
        pytest.skip(f"not for {platform.machine()}")


@module_loop
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.name)
async def test_attack(target: Target, attack: Attack) -> None:
    skip_where_it_makes_no_sense(attack, target)
    assert await target.attack(attack) == []


def test_every_class_is_attacked() -> None:
    assert {one.number for one in ATTACKS} | HERE == set(range(1, CLASSES + 1))


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.name)
def test_headers(attack: Attack) -> None:
    """A program without an expectation, or with one that cannot be read, would test nothing."""
    words = attack.one("expect", "").replace("|", " ").split()
    assert words
    for word in words:
        meets(word, pb.Outcome())
    if "ANY" in words or words == ["EXIT0"]:
        told = {"prints", "never_prints", "returns", "completed", "differs"}
        assert told & {key.partition("@")[0] for key in attack.header}, "it checks nothing"
    attack.request()
    json_texts(attack.one("returns", ""))


# ---- the harness itself ----------------------------------------------------------------------


def made_up(source: str, **header: str) -> Attack:
    return Attack("00_made_up", "python", source, {key: [text] for key, text in header.items()})


VIOLATIONS = [
    (made_up("print(1)", expect="RE|CPU"), "expected RE|CPU, got EXITED 0"),
    (made_up("print(1)", expect="EXIT0", prints="contained"), "expected output 'contained'"),
    (made_up("print('reached: 1')\nprint('contained')", expect="EXIT0", prints="contained"), "reached: 1"),
    (made_up("raise SystemExit(3)", expect="EXIT0"), "expected EXIT0, got EXITED 3"),
    (made_up("raise SystemExit(3)", expect="EXIT4"), "expected EXIT4, got EXITED 3"),
    (made_up("import os; os.kill(os.getpid(), 15)", expect="SIG9"), "expected SIG9, got SIGNALLED 15"),
    (made_up("1/0", expect="MLE"), "expected MLE, got EXITED 1"),
    (made_up("if", expect="EXIT0"), "does not compile"),
    (made_up("print(1)", expect="CE"), "expected CE, got EXITED 0"),
    (made_up("print(1)", expect="INVALID"), "expected INVALID, got EXITED 0"),
    (made_up("print('root:x')", expect="EXIT0", never_prints="root:"), "it prints 'root:'"),
    (made_up("import sys; sys.stderr.write('root:x')", expect="ANY", never_prints="root:"), "it prints"),
    (made_up("print(1)", expect="EXIT0", runs="2", differs="yes"), "runs print the same"),
    (made_up("print(1)", expect="EXIT0", submissions="2", differs="yes"), "runs print the same"),
    (made_up("print(1)", expect="EXIT0 RE", runs="2"), "run 1: expected RE"),
    (made_up("print(1)", expect="EXIT0 EXIT0"), "expects 2 outcomes of 1 runs"),
    (made_up("def f(x): return x", expect="RETURNED", calls="f [1] [2]", returns="1 3"), "expected values"),
    (made_up("def f(x): return x", expect="RAISED RETURNED", calls="f [1] [2]"), "run 0: expected RAISED"),
    (made_up("x = 1", expect="EXIT0", snippets="x = 2", completed="no"), "expected completed no"),
    (made_up("import time; time.sleep(0.3)", expect="EXIT0", within="0.1"), "took 0."),
    (made_up("while True: pass", expect="WALL", limits="cpu=0.1"), "expected WALL, got CPU_LIMIT"),
    (made_up("print(1)", expect="EXIT0", limits="cpu=0.001"), "status INVALID"),
]  # fmt: skip


@module_loop
@pytest.mark.parametrize(("attack", "problem"), VIOLATIONS, ids=lambda one: "")
async def test_a_violation_is_reported(target: Target, attack: Attack, problem: str) -> None:
    """A test that cannot fail is a defect."""
    found = await target.attack(attack)
    assert any(problem in one for one in found), found


def test_passed_limits_are_reported() -> None:
    attack = made_up("", expect="ANY", limits="cpu=1 wall=1 output=4")
    outcome = Outcome(
        ending=Outcome.EXITED, exit_code=0, stdout=b"12345", cpu_us=9_000_000, wall_us=9_000_000
    )
    result = pb.RunResult(status=pb.RunResult.OK, outcomes=[outcome])
    assert [one.split(": ")[1].split(" of ")[0] for one in violations(attack, result)] == [
        "its CPU limit", "its wall limit", "5 bytes",
    ]  # fmt: skip
    result.diagnostics = "x" * 70_000
    result.outcomes.add(ending=Outcome.EXITED)
    found = violations(attack, result)
    assert found == ["70000 characters of diagnostics", "2 outcomes of 1 runs"]
    result = pb.RunResult(status=pb.RunResult.SANDBOX_ERROR, message="lost")
    assert violations(attack, result) == ["status SANDBOX_ERROR: lost"]


def test_memory_that_is_not_counted() -> None:
    crashed = Outcome(ending=Outcome.EXITED, exit_code=1)
    assert not meets("MLE", crashed)
    assert meets("MLE", crashed, memory_counted=False)
    assert meets("MLE", Outcome(ending=Outcome.MEMORY_LIMIT), memory_counted=False)
    assert not meets("MLE", Outcome(ending=Outcome.EXITED, exit_code=0), memory_counted=False)


def test_every_leftover_is_reported() -> None:
    clean = Snapshot(processes=Counter(idle=2), mounts=("a",), groups=frozenset("g"))
    assert left_over(clean, clean) == []
    assert left_over(clean, replace(clean, processes=Counter(idle=1))) == []
    for name, more in (
        ("processes", Counter(idle=3)),
        ("processes", Counter(idle=1, sleep=1)),
        ("zombies", 1),
        ("escaped", frozenset("1")),
        ("mounts", ("a", "b")),
        ("mounts", ()),
        ("descriptors", Counter(pipe=1)),
        ("groups", frozenset("gh")),
        ("strangers", frozenset("1")),
        ("files", frozenset("f")),
        ("shared_memory", frozenset("s")),
    ):
        (found,) = left_over(clean, replace(clean, **{name: more}))  # type: ignore[arg-type]
        assert found.startswith(name)


@contextlib.contextmanager
def a_process() -> Iterator[None]:
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            yield
        finally:
            process.kill()


@contextlib.contextmanager
def a_zombie() -> Iterator[None]:
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    try:
        yield
    finally:
        process.wait()


@contextlib.contextmanager
def a_descriptor() -> Iterator[None]:
    fd = os.open("/dev/null", os.O_RDONLY)
    try:
        yield
    finally:
        os.close(fd)


@module_loop
@pytest.mark.parametrize(
    ("leave", "name"),
    [(a_process, "processes"), (a_zombie, "zombies"), (a_descriptor, "descriptors")],
)
async def test_real_leftovers_are_reported(
    target: Target, leave: Callable[[], contextlib.AbstractContextManager[None]], name: str
) -> None:
    with leave():
        found = left_over(target.before, snapshot(target.own_tmp, target.users))
        assert any(one.startswith(name) for one in found), found
    assert await target.left() == []


@module_loop
async def test_files_and_groups_of_ours_are_seen(target: Target) -> None:
    (target.own_tmp / "left").touch()
    found = left_over(target.before, snapshot(target.own_tmp, target.users))
    assert found == [f"files: ['{target.own_tmp / 'left'}']"]
    (target.own_tmp / "left").unlink()
    if os.getuid() == 0 and target.users:
        note = Path("/tmp") / f"left-{secrets.token_hex(4)}"
        note.touch()
        os.chown(note, min(target.users), -1)
        found = left_over(target.before, snapshot(target.own_tmp, target.users))
        note.unlink()
        assert found == [f"files: ['{note}']"]
    if target.memory_counted:
        assert target.before.groups
    if target.tier == "T3":
        assert target.before.processes


# ---- several at once: classes 51 and 52 ------------------------------------------------------


async def two_slots() -> EmbeddedSandbox:
    try:
        return await EmbeddedSandbox.start(slots=2)
    except SandboxUnavailable as error:
        pytest.skip(str(error))


def python(source: str, *stdin: bytes, **fields: object) -> pb.RunRequest:
    work = pb.Inputs(stdin=stdin or [b""])
    return pb.RunRequest(language="python", source=source, inputs=work, **fields)


NEIGHBOUR = "import time\nfor _ in range(20): time.sleep(0.05)\nprint('unharmed')"


@pytest.mark.parametrize(
    "attack",
    [
        # 51: signals to siblings, by number and to everybody.
        "import os\nfor p in range(2, 33000):\n    if p != os.getpid():\n"
        "        try: os.kill(p, 9)\n        except OSError: pass",
        "import os\nfor _ in range(20):\n    if os.fork() == 0:\n        os.kill(-1, 9)\n",
        # 52: all processes that a user may have.
        "import os, time\nwhile True:\n    try:\n        if os.fork() == 0: time.sleep(2)\n"
        "    except OSError: time.sleep(0.1)",
        # The neighbour's memory and time: both slots at their limits at once.
        "x = []\nwhile True: x.append(bytearray(1 << 20))",
    ],
    ids=["kill each", "kill all", "processes", "memory"],
)
async def test_neighbours_are_unharmed(attack: str) -> None:
    sandbox = await two_slots()
    try:
        tight = pb.Limits(cpu_seconds=0.7, wall_seconds=1.5, memory_bytes=128 << 20)
        neighbour = sandbox.run(python(NEIGHBOUR))
        result, _ = await asyncio.gather(neighbour, sandbox.run(python(attack, limits=tight)))
        assert [o.stdout for o in result.outcomes] == [b"unharmed\n"], result
        # And it may start as many processes as it likes, beside one that has used up its own.
        threads = "import os\nfor _ in range(9):\n    if os.fork() == 0: os._exit(0)\nfor _ in range(9): os.wait()\nprint(1)"
        _, result = await asyncio.gather(
            sandbox.run(python(attack, limits=tight)), sandbox.run(python(threads))
        )
        assert [o.stdout for o in result.outcomes] == [b"1\n"], result
    finally:
        await sandbox.close()


# ---- bytes: classes 33 and 34 ----------------------------------------------------------------

ECHO = "import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read())"


@module_loop
@pytest.mark.parametrize(
    "data",
    [
        b"1 2", b"1 2\r\n3\r\n", b"\x00\x01\x00", b"\xff\xfe\x80", b"\xef\xbb\xbf1\n", b"",
        "1\u00a02\u3000\u2028".encode(), b"\n" * 5, b"\x04\x1a\x03", bytes(range(256)),
        b"x" * 1_000_000,
    ],
    ids=lambda data: repr(data[:9]),
)  # fmt: skip
@pytest.mark.parametrize("language", ["python", "cpp", "bash", "php", "javascript"])
async def test_every_byte_passes_unchanged(target: Target, language: str, data: bytes) -> None:
    source = {
        "python": ECHO,
        "cpp": "#include <unistd.h>\nint main() { char b[4096]; ssize_t n, m; while ((n = read(0, b, sizeof b)) > 0) for (char *p = b; n; p += m, n -= m) if ((m = write(1, p, n)) < 0) return 1; }",
        "bash": "cat",
        "php": "<?php\nfwrite(STDOUT, stream_get_contents(STDIN));",
        "javascript": "process.stdin.pipe(process.stdout);",
    }[language]
    if target.languages.get(language, "unknown") != "":
        pytest.skip(f"{language} is missing")
    work = pb.Inputs(stdin=[data])
    result = await target.sandbox.run(pb.RunRequest(language=language, source=source, inputs=work))
    assert [o.stdout for o in result.outcomes] == [data], result


@module_loop
async def test_huge_input_that_nobody_reads_costs_no_memory_of_the_server(target: Target) -> None:
    """The server holds the input once, as it came, and the output up to its limit."""

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    data = b"7" * (64 << 20)
    flood = "import os\nfor fd in (1, 2): os.set_blocking(fd, False)\nwhile True:\n    for fd in (1, 2):\n        try: os.write(fd, b'x' * 65536)\n        except BlockingIOError: pass"
    before = resident()
    for source in (
        "print(1)",
        "import os\nos.close(0)\nprint(1)",
        "import sys\nprint(len(sys.stdin.read(7)) // 7)",
        flood,
    ):
        result = await target.sandbox.run(
            python(source, data, limits=pb.Limits(output_bytes=1 << 20))
        )
        (outcome,) = result.outcomes
        assert outcome.stdout == b"1\n" or outcome.ending == Outcome.OUTPUT_LIMIT, result
        assert resident() - before < 3 * len(data)
    assert await target.left() == []


# ---- verdicts: classes 56 to 60 --------------------------------------------------------------


def task(program: str, *tests: tuple[str, str], **fields: object) -> vpb.CodeTask:
    made = [vpb.CodeTest(stdin=given, stdout=wanted) for given, wanted in tests]
    return vpb.CodeTask(language="python", program=program, tests=made, **fields)


def call_task(program: str, *tests: tuple[list[str], str]) -> vpb.CodeTask:
    made = [vpb.CodeTest(args_json=given, expected_json=wanted) for given, wanted in tests]
    return vpb.CodeTask(language="python", program=program, tests=made, entry_point="f")


SUM = (("1 2", "3"), ("5 5", "10"), ("7 8", "15"))
IDENTITY = ((["1"], "1"), (["2"], "2"), (["3"], "3"))
TWO_LINES = (("", "1\n2\n"),)
WRONG = [
    # 57: the beginning of what is expected, or more than it.
    task("print(1)", *TWO_LINES),
    task("print('1\\n2\\n3')", *TWO_LINES),
    task("print('1 2')", *TWO_LINES),
    task("print('12')", *TWO_LINES),
    task("print('2\\n1')", *TWO_LINES),
    task("pass", *TWO_LINES),
    task("print('1\\n2\\x00')", *TWO_LINES),
    task("print(1)\nprint(2)\nprint('1\\n2')", *TWO_LINES),
    # 56: other spellings of a number, and numbers that are none.
    *(task(f"print({text!r})", ("", "8")) for text in ("nan", "inf", "1e400", "0x8", "\u0668", "0_8", "8.0e0j", "008", "+8")),
    *(task(f"print({text!r})", ("", "nan")) for text in ("inf", "NaNs", "0")),
    task("print('1' * 1000000)", ("", "1" * 999_999)),
    call_task("def f(x): return float('nan')", (["1"], "NaN")),
    call_task("def f(x): return True", (["1"], "1")),
    call_task("def f(x): return '1'", (["1"], "1")),
    call_task("def f(x): return [1]", (["1"], "1")),
    call_task("import sys\nsys.set_int_max_str_digits(0)\ndef f(x): return 10**100000", (["1"], "1")),
    # 59: samples by heart.
    task("print({'1 2': 3}.get(input(), 0))", *SUM),
    # 17 and 18: leaving before the end.
    *(
        call_task(f"import os, sys, threading\n{at_import}\ndef f(x):\n    {in_call}\n    return x + (x == 3)", *IDENTITY)
        for at_import, in_call in (
            ("os._exit(0)", "pass"), ("sys.exit(0)", "pass"), ("pass", "os._exit(0)"), ("pass", "sys.exit(0)"),
            ("threading.Timer(0.01, os._exit, (0,)).start()", "sys.stdin.read(); [0 for _ in range(10**7)]"),
            ("pass", "raise KeyboardInterrupt"), ("pass", "exec('class D:\\n def __del__(s): os._exit(0)\\nD()')"),
        )
    ),
    # 19: verdicts in the output.
    task("print('{\"status\": \"OK\", \"reward\": 1.0}')", *SUM),
    task("import sys\nprint('PASSED', 'accepted', 'AC', file=sys.stderr)\nprint('All tests passed')", *SUM),
    # 21 and 22: objects that lie.
    call_task("class E(int):\n    __eq__ = lambda s, o: True\n    __hash__ = int.__hash__\ndef f(x): return E(9)", *IDENTITY),
    call_task("class E:\n    __eq__ = lambda s, o: True\n    __class__ = int\ndef f(x): return E()", *IDENTITY),
    call_task("import builtins, json\njson.dumps = json.loads = lambda *a, **k: '1'\nbuiltins.repr = builtins.str = lambda x: '1'\ndef f(x): return 9", *IDENTITY),
    # 8: what is expected, taken from the frames above.
    call_task("import gc, sys\ndef f(x):\n    g, seen = sys._getframe(), []\n    while g: seen += [v for k, v in g.f_locals.items() if 'expect' in k]; g = g.f_back\n    return seen[0] if seen else None", (["1"], '"secret"')),
]  # fmt: skip


@module_loop
@pytest.mark.parametrize("wrong", WRONG, ids=lambda one: one.program.strip()[:40])
async def test_wrong_is_never_right(target: Target, wrong: vpb.CodeTask) -> None:
    outcome = await CodeVerifier(target.sandbox).verify(Submission(wrong, ""))
    assert outcome.status == vpb.Verdict.OK, outcome
    assert outcome.score == 0.0, outcome


@module_loop
async def test_right_is_right(target: Target) -> None:
    """The tests above say something only where this holds."""
    adds = task("print(sum(map(int, input().split())))", *SUM)
    for right in (adds, call_task("def f(x): return x", *IDENTITY)):
        outcome = await CodeVerifier(target.sandbox).verify(Submission(right, ""))
        assert (outcome.status, outcome.score) == (vpb.Verdict.OK, 1.0), outcome


@module_loop
@pytest.mark.parametrize("exit_early", ["import os; os._exit(0)", "raise SystemExit(0)", "exit()"])
async def test_early_exit_before_asserts_is_no_pass(target: Target, exit_early: str) -> None:
    given = vpb.CodeTask(
        language="python",
        program=f"def f(x):\n    {exit_early}",
        tests=[vpb.CodeTest(source="for i in range(3):\n    assert f(i) == i * 77")],
        entry_point="f",
    )
    outcome = await CodeVerifier(target.sandbox).verify(Submission(given, ""))
    assert (outcome.status, outcome.score) == (vpb.Verdict.OK, 0.0), outcome


@module_loop
async def test_hard_coded_samples_earn_their_share(target: Target) -> None:
    """59: a fraction is given only where the task asks for it."""
    sample = task("print({'1 2': 3}.get(input(), 0))", *SUM, scoring=vpb.CodeTask.FRACTION)
    outcome = await CodeVerifier(target.sandbox).verify(Submission(sample, ""))
    assert outcome.score == pytest.approx(1 / 3)


@module_loop
async def test_a_huge_answer_is_compared_quickly(target: Target) -> None:
    """60: the comparison is the checker; an answer made to explode it costs it nothing."""
    deep = "def f(x):\n    v = []\n    for _ in range(400): v = [v]\n    return v"
    wide = "def f(x): return [[]] * 500_000"
    long = "def f(x): return '9' * 4_000_000"
    for program in (deep, wide, long):
        began = time.monotonic()
        outcome = await CodeVerifier(target.sandbox).verify(
            Submission(call_task(program, (["1"], "1")), "")
        )
        assert (outcome.status, outcome.score) == (vpb.Verdict.OK, 0.0), outcome
        assert time.monotonic() - began < 30
    lines = task("import sys\nsys.stdout.write('1 ' * 2_000_000)", ("", "1 " * 1_999_999))
    outcome = await CodeVerifier(target.sandbox).verify(Submission(lines, ""))
    assert (outcome.status, outcome.score) == (vpb.Verdict.OK, 0.0)


@module_loop
async def test_no_tests_is_no_pass(target: Target) -> None:
    """58: nothing to run is a mistake in the request."""
    for work in (
        {"inputs": pb.Inputs()},
        {"calls": pb.Calls(entry_point="f")},
        {"snippets": pb.Snippets()},
        {},
    ):
        result = await target.sandbox.run(pb.RunRequest(language="python", source="pass", **work))
        assert (result.status, len(result.outcomes)) == (pb.RunResult.INVALID, 0), result


@module_loop
async def test_too_many_tests_are_refused_at_once(target: Target) -> None:
    """58: ten times what is allowed, and input of a size that is not."""
    told = await target.sandbox.describe()
    began = time.monotonic()
    many = python("pass", *[b""] * (10 * told.max_runs))
    huge = python("pass", bytes(300 << 20))
    long = python("x = 1\n" * (int(told.max_source_bytes) // 6 + 1))
    for request in (many, huge, long):
        result = await target.sandbox.run(request)
        assert (result.status, bool(result.message)) == (pb.RunResult.INVALID, True)
    assert time.monotonic() - began < 30


@module_loop
async def test_many_tests(target: Target) -> None:
    """58: in one submission, each with its own outcome and in their order."""
    echo = python("print(input())", *[b"%d" % i for i in range(300)])
    result = await target.sandbox.run(echo)
    assert [o.stdout for o in result.outcomes] == [b"%d\n" % i for i in range(300)]


# ---- the server: classes 61 and 62 -----------------------------------------------------------


@module_loop
async def test_cancelled_attacks_leave_nothing(target: Target) -> None:
    """61: the client goes away in the middle of a program that holds on to everything."""
    grip = (
        "import os, signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\nfor _ in range(5): os.fork()\nos.setsid() if os.getpid() != os.getpgrp() else 0\n"
        "while True: pass"
    )
    for after in (0, 0.05, 0.3):
        running = asyncio.ensure_future(target.sandbox.run(python(grip)))
        await asyncio.sleep(after)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert await ordinary_is_wrong(target.sandbox, "python") == []
    assert await target.left() == []


@module_loop
async def test_ten_thousand_at_once(target: Target) -> None:
    """61: as many as may wait do, the others are refused at once, and cancelling frees all."""
    told = await target.sandbox.describe()
    accepted, refused = [], 0

    async def submit() -> None:
        await target.sandbox.run(python("import time; time.sleep(9)"))

    tasks = [asyncio.ensure_future(submit()) for _ in range(told.max_queued + 100)]
    await asyncio.sleep(0.3)
    for one in tasks:
        if one.done():
            assert isinstance(one.exception(), QueueFull)
            refused += 1
        else:
            accepted.append(one)
    assert (len(accepted), refused) == (told.max_queued + told.slots, 100 - told.slots)
    for one in accepted:
        one.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await ordinary_is_wrong(target.sandbox, "python") == []
    assert await target.left() == []


SERVER = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from sandbox import limits
from sandbox.client import EmbeddedSandbox
from sandbox.v1 import sandbox_pb2 as pb

GRIP = '''
import os, signal, time
for n in range(1, 65):
    try: signal.signal(n, signal.SIG_IGN)
    except (OSError, ValueError): pass
for _ in range(3):
    if os.fork() == 0: os.setsid()
while True: time.sleep(1)
'''

async def main():
    sandbox = await EmbeddedSandbox.start(slots=2)
    work = pb.RunRequest(language="python", source=GRIP, inputs=pb.Inputs(stdin=[b""]))
    tasks = [asyncio.ensure_future(sandbox.run(work)) for _ in range(2)]
    print("ready", flush=True)
    await asyncio.gather(*tasks)

asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
async def test_a_server_that_is_killed_leaves_no_process(number: int) -> None:
    """62: whatever its programs ignore and however they detach themselves."""
    root = str(Path(__file__).resolve().parents[2])
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, root], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as server:
        assert server.stdout is not None
        if server.stdout.readline() != b"ready\n":
            pytest.skip("no sandbox here")
        end = time.monotonic() + 60
        while len(tree := below(server.pid, process_table())) < 22:  # with eight to a program
            assert time.monotonic() < end, "the programs are running"
            await asyncio.sleep(0.05)
        born = {
            pid: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
            for pid in tree
        }
        server.send_signal(number)
        server.communicate()

    def living() -> list[str]:
        found = []
        for pid, start in born.items():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                if fields[0] != "Z" and fields[19] == start:
                    found.append(f"{pid} {command(pid)}")
        return found

    end = time.monotonic() + 10
    while living() and time.monotonic() < end:
        await asyncio.sleep(0.02)
    assert living() == []
