"""Control groups: memory, process count and CPU time of each jail, on version 1 and version 2.

A server owns one directory, `touchstone-<pid namespace>-<pid>-<start time>-<n>`, below its own
group in each hierarchy; each jail of a slot has a directory in it, kept from one jail to the
next. At the start of a server the directories of servers that are gone are emptied and removed.

Not covered: CPU quotas (CPU time is limited, not CPU speed). The driver for version 2 is written
from the kernel's documentation; no host with version 2 controllers has run it yet.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

PREFIX = "touchstone-"
V1_CONTROLLERS = ("memory", "pids", "cpuacct")
# A killed process leaves its group within milliseconds; one in the middle of disk I/O may not.
REMOVE_SECONDS = 2.0
_numbers = itertools.count()


class CgroupUnavailable(Exception):
    """No control groups can be made; the message says which step failed."""


@dataclass(frozen=True, slots=True)
class Hierarchies:
    """Where this server may make groups: version, and a directory for each controller."""

    version: int
    roots: dict[str, Path]


def _mounts() -> dict[str, tuple[Path, str]]:
    """Mounted hierarchies: controller (or "" for version 2) to (mount point, root in it)."""
    found: dict[str, tuple[Path, str]] = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        root, point = left.split(" ")[3:5]
        if kind == "cgroup2":
            found.setdefault("", (Path(point), root))
        elif kind == "cgroup":
            for option in options.split(" ")[-1].split(","):
                found.setdefault(option, (Path(point), root))
    return found


def _own_groups() -> dict[str, str]:
    """This process's group in each hierarchy: controller (or "") to path."""
    own: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            own[controller] = path
    return own


def _own_directory(mount: tuple[Path, str], group: str) -> Path:
    """The directory of one's own group, or the mount's where the group lies outside of it."""
    point, root = mount
    inside = os.path.relpath(group, root) if root != "/" else group.lstrip("/")
    directory = point if inside.startswith("..") else point / inside
    return directory if (directory / "cgroup.procs").exists() else point


def find() -> Hierarchies:
    """The hierarchies to use; raises CgroupUnavailable."""
    mounts, own = _mounts(), _own_groups()
    if all(name in mounts and name in own for name in V1_CONTROLLERS):
        return Hierarchies(
            1, {name: _own_directory(mounts[name], own[name]) for name in V1_CONTROLLERS}
        )
    if "" not in mounts or "" not in own:
        raise CgroupUnavailable("no cgroup file system is mounted")
    root = _own_directory(mounts[""], own[""])
    have = (root / "cgroup.controllers").read_text().split()
    missing = [name for name in ("memory", "pids") if name not in have]
    if missing:
        raise CgroupUnavailable(f"version 2 without the controllers {', '.join(missing)}")
    return Hierarchies(2, {"": root})


def start_time(pid: int) -> str:
    """Clock ticks after boot at which a process started; "" when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return text.rpartition(")")[2].split()[19]


def _pid_namespace() -> int:
    return os.stat("/proc/self/ns/pid").st_ino


def _empty(directory: Path) -> None:
    """Kills what is left in a group and removes it, its children first."""
    for child in directory.iterdir():
        if child.is_dir():
            _empty(child)
    end = time.monotonic() + REMOVE_SECONDS
    while True:
        try:
            directory.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > end:
                raise
            for pid in (directory / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            time.sleep(0.005)
        else:
            return


def sweep(hierarchies: Hierarchies) -> int:
    """Removes the groups of servers that are gone, of this pid namespace; says how many."""
    removed = 0
    for root in hierarchies.roots.values():
        for directory in root.glob(f"{PREFIX}{_pid_namespace()}-*"):
            _, _, pid, started, _ = directory.name.split("-")
            if start_time(int(pid)) != started:
                _empty(directory)
                removed += 1
    return removed


class ServerGroups:
    """The directories of one server."""

    def __init__(self, hierarchies: Hierarchies) -> None:
        pid = os.getpid()
        name = f"{PREFIX}{_pid_namespace()}-{pid}-{start_time(pid)}-{next(_numbers)}"
        self.version = hierarchies.version
        self.directories = {key: root / name for key, root in hierarchies.roots.items()}
        try:
            if self.version == 2:
                _delegate(hierarchies.roots[""])
            for directory in self.directories.values():
                directory.mkdir()
                if self.version == 2:
                    (directory / "cgroup.subtree_control").write_text("+memory +pids")
        except OSError as error:
            self.close()
            raise CgroupUnavailable(f"version {self.version}: {error}") from error

    def make(self, name: str) -> JailGroup:
        """Makes a group for one jail at a time."""
        paths = {key: base / name for key, base in self.directories.items()}
        for path in paths.values():
            path.mkdir()
        return GroupV1(paths) if self.version == 1 else GroupV2(paths)

    def close(self) -> None:
        for directory in self.directories.values():
            if directory.exists():
                _empty(directory)


def _delegate(root: Path) -> None:
    """Hands memory and pids down to the children of `root`, which must then hold no process."""
    control = root / "cgroup.subtree_control"
    if {"memory", "pids"} <= set(control.read_text().split()):
        return
    try:
        control.write_text("+memory +pids")
    except OSError:
        leaf = root / f"{PREFIX}servers"
        leaf.mkdir(exist_ok=True)
        for pid in (root / "cgroup.procs").read_text().split():
            (leaf / "cgroup.procs").write_text(pid)
        control.write_text("+memory +pids")


class JailGroup:
    """The group of one jail. Files that are read for every run stay open."""

    CPU: tuple[str, str]
    PEAK: tuple[str, str]
    EVENTS: tuple[str, str]
    PIDS: tuple[str, str]

    def __init__(self, paths: dict[str, Path]) -> None:
        self.paths = paths
        self._limits = (0, 0)
        self._events = self._open(self.EVENTS, os.O_RDONLY)
        self._pids = self._open(self.PIDS, os.O_WRONLY)
        try:
            self._peak = self._open(self.PEAK, os.O_RDWR)
            self._peak_resets = True
        except (PermissionError, FileNotFoundError):
            self._peak, self._peak_resets = -1, False

    def _open(self, file: tuple[str, str], flags: int) -> int:
        return os.open(self.paths[file[0]] / file[1], flags | os.O_CLOEXEC)

    @property
    def directories(self) -> list[str]:
        """What a process must join."""
        return [str(path) for path in self.paths.values()]

    @property
    def cpu_file(self) -> str:
        """The file that tells its CPU time: nanoseconds (version 1), or a line `usage_usec`."""
        return str(self.paths[self.CPU[0]] / self.CPU[1])

    def limit(self, memory_bytes: int, processes: int) -> None:
        """Sets the limits; free of cost when they are as before."""
        old_memory, old_processes = self._limits
        if processes != old_processes:
            os.pwrite(self._pids, b"%d" % processes, 0)
        if memory_bytes != old_memory:
            self._limit_memory(memory_bytes, old_memory)
        self._limits = (memory_bytes, processes)

    def _limit_memory(self, new: int, old: int) -> None:
        raise NotImplementedError

    def cpu_us(self) -> int:
        """Microseconds of CPU time used in the group since it was made."""
        words = Path(self.cpu_file).read_text().split()
        return int(words[1]) if words[0] == "usage_usec" else int(words[0]) // 1000

    def oom_kills(self) -> int:
        """How many processes the memory limit has killed since the group was made."""
        for line in os.pread(self._events, 4096, 0).splitlines():
            if line.startswith(b"oom_kill "):
                return int(line[9:])
        raise OSError(f"{self.EVENTS[1]} does not count oom_kill")

    def reset_peak(self) -> None:
        if self._peak_resets:
            os.pwrite(self._peak, b"0", 0)

    def peak_bytes(self) -> int:
        """Highest memory use since reset_peak; 0 where the host cannot tell."""
        return int(os.pread(self._peak, 64, 0)) if self._peak_resets else 0

    def close(self) -> None:
        for fd in (self._events, self._pids, self._peak):
            if fd >= 0:
                os.close(fd)


class GroupV1(JailGroup):
    CPU = ("cpuacct", "cpuacct.usage")
    PEAK = ("memory", "memory.max_usage_in_bytes")
    EVENTS = ("memory", "memory.oom_control")
    PIDS = ("pids", "pids.max")

    def _limit_memory(self, new: int, old: int) -> None:
        # The limit with swap must never be below the one without.
        files = ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]
        for name in files if old == 0 or new < old else reversed(files):
            path = self.paths["memory"] / name
            if path.exists():  # memsw is absent where swap is not accounted
                path.write_text(str(new))


class GroupV2(JailGroup):
    CPU = ("", "cpu.stat")
    # Writing to it resets it since Linux 6.12, for the descriptor that wrote.
    PEAK = ("", "memory.peak")
    EVENTS = ("", "memory.events")
    PIDS = ("", "pids.max")

    def _limit_memory(self, new: int, old: int) -> None:
        (self.paths[""] / "memory.max").write_text(str(new))
        swap = self.paths[""] / "memory.swap.max"
        if swap.exists():
            swap.write_text("0")
