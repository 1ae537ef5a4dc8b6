"""What this host allows, found out by trying: the tier, and each mechanism in force or why not.

Each way to build a jail is tried, the strongest first, by building one and running a program in
it. The first that works is the tier of this server; where that is less than is required the
sandbox refuses to start and says what is missing. It never falls back silently.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sandbox import cgroup, limits, uids
from sandbox.execution import ResourceLimits, Why, execute, spawn_body
from sandbox.languages import python
from sandbox.languages.base import ENVIRONMENT, SYSTEM
from sandbox.launch import HELPER, Confinement, Jail, Room, Users
from sandbox.v1 import sandbox_pb2 as pb

PROBE_SECONDS = 30.0
WATCHED = "watched by looking at the processes, which is less exact"
TIERS = {"T1": pb.T1, "T2": pb.T2, "T3": pb.T3}
HELLO = ("/bin/sh", "-c", "echo $((20 + 22))")

_T3 = (
    ("pid namespace", "the program's processes see and end with each other only"),
    ("mount namespace", "read-only root of what the toolchains need"),
    ("network namespace", "empty"),
    ("ipc, uts and cgroup namespaces", ""),
    ("tmpfs", f"/tmp, {limits.TMP_BYTES >> 20} MiB, fresh for each run"),
)
_LANDLOCK = ("Landlock", "reads the toolchains, writes its own directory alone")
_ALL = (
    ("seccomp", "no sockets, tracing, mounts, namespaces, keys, bpf, io_uring"),
    ("no_new_privs", ""),
    ("rlimits", "CPU, stack, core, file size, open files"),
)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to build jails, and what it puts into force."""

    name: str
    confinement: Confinement
    needs: str
    mechanisms: tuple[tuple[str, str], ...]


WAYS = (
    Way(
        "T3",
        Confinement(tier=3, users=2),
        "root with CAP_SYS_ADMIN, CAP_SETUID and CAP_SETGID",
        (*_T3, ("user ids", "two for each slot, in a user namespace of these two alone"), *_ALL),
    ),
    Way(
        "T3",
        Confinement(tier=3, users=1),
        "an ordinary user who may make user namespaces",
        (*_T3, ("user namespace", "of the server's user alone; no capabilities"), *_ALL),
    ),
    Way(
        "T2",
        Confinement(tier=2, users=2),
        "root with CAP_SETUID and CAP_SETGID, Landlock (Linux 5.13)",
        (("user ids", "two for each slot"), _LANDLOCK, *_ALL),
    ),
    Way(
        "T1",
        Confinement(tier=1, users=1, counts_all_processes=True),
        "Landlock with signal scopes (Linux 6.12)",
        (_LANDLOCK, ("Landlock scopes", "signals reach the program's own processes alone"), *_ALL),
    ),
)


@dataclass(slots=True)
class Probe:
    """The outcome: `confinement` is None when no jail could be built."""

    confinement: Confinement | None = None
    tier: pb.Tier.ValueType = pb.TIER_UNSPECIFIED
    mechanisms: list[pb.Mechanism] = field(default_factory=list)
    hierarchies: cgroup.Hierarchies | None = None
    # For each way that was tried and did not work, why.
    missing: list[str] = field(default_factory=list)

    def note(self, name: str, in_force: bool, detail: str) -> None:
        self.mechanisms.append(pb.Mechanism(name=name, in_force=in_force, detail=detail))


async def probe(only: str | None = None) -> Probe:
    """Finds the strongest way that works; with `only`, the strongest of that tier."""
    found = Probe()
    for way in WAYS:
        if only not in (None, way.name):
            continue
        why = await _try(way)
        if not why:
            found.confinement, found.tier = way.confinement, TIERS[way.name]
            for name, detail in way.mechanisms:
                found.note(name, True, detail)
            _probe_cgroups(found)
            break
        found.missing.append(f"{way.name} needs {way.needs}: {why}")
    return found


def _probe_cgroups(found: Probe) -> None:
    name = "cgroup"
    try:
        hierarchies = cgroup.find()
        swept = cgroup.sweep(hierarchies)
        groups = cgroup.ServerGroups(hierarchies)
        try:
            group = groups.make("probe")
            group.limit(limits.DEFAULT_MEMORY_BYTES, limits.DEFAULT_PROCESSES)
            group.oom_kills()
            group.cpu_us()
            group.close()
        finally:
            groups.close()
    except (cgroup.CgroupUnavailable, OSError) as error:
        found.note(
            name,
            False,
            f"{error}; CPU time and memory are {WATCHED}",
        )
    else:
        found.hierarchies = hierarchies
        swept_text = f", {swept} left by dead servers removed" if swept else ""
        found.note(name, True, f"version {hierarchies.version}{swept_text}")


async def _try(way: Way) -> str:
    """Builds a jail this way and runs a program in it: "", or why that did not work."""
    if not HELPER.exists():
        return f"the helper {HELPER.name} is not built: install with a C compiler present"
    if way.confinement.users == 1:
        if way.confinement.tier == 3 and os.geteuid() == 0:
            return "the server is root, whose programs would be root's"
        return await _try_with(way.confinement, Users(0, 0))
    if os.geteuid() != 0:
        return "not started as root"
    if way.confinement.tier == 2 and (closed := _closed_to_others(python.find().shown)):
        return f"other users cannot enter {closed}, which Python needs"
    try:
        number, users = uids.take(os.getpid())
    except uids.NoUsersLeft as error:
        return str(error)
    try:
        return await _try_with(way.confinement, users)
    finally:
        uids.give_back(number)


def _closed_to_others(paths: Iterable[str]) -> Path | None:
    """A directory above one of them that another user cannot enter; None where there is none."""
    for path in paths:
        for above in Path(path).parents:
            if not above.stat().st_mode & 0o001:
                return above
    return None


async def _try_with(confinement: Confinement, users: Users) -> str:
    work = ""
    if confinement.tier < 3:
        work = tempfile.mkdtemp(prefix="touchstone-")
        Path(work, "box").mkdir()
    room = Room(confinement, users, None, work)
    jail = Jail.start(room, (), SYSTEM)
    try:
        run = limits.run_limits()
        before = 4096 if confinement.counts_all_processes else 3
        body = spawn_body(HELLO, ENVIRONMENT, ResourceLimits.of(run, room, before))
        async with asyncio.timeout(PROBE_SECONDS):
            ended = await execute(jail, room, run, body, b"", 64, 0, None)
    except TimeoutError:
        return f"a jail did not answer within {PROBE_SECONDS:g} s"
    finally:
        await jail.end()
        if work:
            shutil.rmtree(work)
    if ended.why is Why.LOST:
        return jail.errors() or "the jail was lost"
    if ended.stdout != b"42\n":
        text = (ended.stderr or ended.stdout).decode("utf-8", "replace").strip()
        return f"a program ended with {ended.status} and said '{text}'"
    return ""
