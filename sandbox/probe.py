"""What this host allows, found out by trying: the tier, and each mechanism in force or why not.

Only T3 exists so far. Where it cannot be had the sandbox refuses to start and says what is
missing; it never falls back to less.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field

from sandbox import cgroup, limits, uids
from sandbox.languages import python
from sandbox.launch import HELPER, Jail, JailLost
from sandbox.v1 import sandbox_pb2 as pb

PROBE_SECONDS = 30.0
# Built into every jail, so in force whenever a jail can be built.
ALWAYS = (
    ("pid namespace", "the program's processes see and end with each other only"),
    ("mount namespace", "read-only root of what the interpreter needs"),
    ("network namespace", "empty"),
    ("ipc, uts and cgroup namespaces", ""),
    ("user namespace", "two users: the driver's and the program's"),
    ("tmpfs", f"/tmp, {limits.TMP_BYTES >> 20} MiB, fresh for each run"),
    ("seccomp", "no sockets, tracing, mounts, namespaces, keys, bpf, io_uring"),
    ("no_new_privs", ""),
    ("rlimits", "CPU, stack, core, file size, open files"),
)


@dataclass(slots=True)
class Probe:
    """The outcome: `tier` is TIER_UNSPECIFIED when no jail could be built."""

    tier: pb.Tier.ValueType = pb.TIER_UNSPECIFIED
    mechanisms: list[pb.Mechanism] = field(default_factory=list)
    hierarchies: cgroup.Hierarchies | None = None
    missing: str = ""

    def note(self, name: str, in_force: bool, detail: str) -> None:
        self.mechanisms.append(pb.Mechanism(name=name, in_force=in_force, detail=detail))


async def probe() -> Probe:
    """Builds a jail and runs its driver."""
    found = Probe()
    _probe_cgroups(found)
    found.missing = await _try_jail(found)
    if not found.missing:
        found.tier = pb.T3
    for name, detail in ALWAYS:
        found.note(name, not found.missing, detail if not found.missing else found.missing)
    return found


def _probe_cgroups(found: Probe) -> None:
    name = "cgroup"
    try:
        hierarchies = cgroup.find()
        swept = cgroup.sweep(hierarchies)
        groups = cgroup.ServerGroups(hierarchies)
        try:
            group = groups.slot(0)
            group.limit(limits.DEFAULT_MEMORY_BYTES, limits.DEFAULT_PROCESSES)
            group.oom_kills()
            group.cpu_us()
            group.close()
        finally:
            groups.close()
    except (cgroup.CgroupUnavailable, OSError) as error:
        found.note(name, False, f"{error}; rlimits instead, memory of a run is less exact")
    else:
        found.hierarchies = hierarchies
        swept_text = f", {swept} left by dead servers removed" if swept else ""
        found.note(name, True, f"version {hierarchies.version}{swept_text}")


async def _try_jail(found: Probe) -> str:
    """What is missing for a jail; "" when one was built and its driver answered."""
    if not HELPER.exists():
        return f"the helper {HELPER.name} is not built: install with a C compiler present"
    if os.geteuid() != 0:
        return "not started as root: T3 needs CAP_SYS_ADMIN and CAP_SETUID"
    try:
        number, users = uids.take(os.getpid())
    except uids.NoUsersLeft as error:
        return str(error)
    try:
        jail = Jail.start(python.LANGUAGE, users, ())
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await jail.send({"do": "load", "prelude": "", "source": "0", "preload": False})
                kind, _ = await jail.reply()
        except (JailLost, TimeoutError) as error:
            jail.kill()
            status = await jail.exited
            said = jail.errors() or f"{error or 'no answer'} (status {status})"
            return f"no jail could be built: {said}"
        jail.kill()
        await jail.exited
        return "" if kind == b"L" else f"the driver answered {kind!r}"
    finally:
        uids.give_back(number)
