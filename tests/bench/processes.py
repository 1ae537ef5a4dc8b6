"""What a server's processes hold: memory, descriptors, and who is left."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path

from tests.verifier.support import descendants

PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Process:
    """A process, told from a later one of the same number by its start."""

    pid: int
    started: int
    """Clock ticks since boot."""

    def alive(self) -> bool:
        return of(self.pid) == self and _state(self.pid) not in ("Z", "X", None)


def _fields(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _state(pid: int) -> str | None:
    fields = _fields(pid)
    return None if fields is None else fields[0]


def of(pid: int) -> Process | None:
    """None where there is none."""
    fields = _fields(pid)
    return None if fields is None else Process(pid, int(fields[19]))


def cpu_seconds(pid: int) -> float:
    """User and system time of a process that is there."""
    fields = _fields(pid) or []
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss(pid: int) -> int:
    """Resident bytes; 0 where there is no such process."""
    try:
        return PAGE * int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def descriptors(pid: int) -> int:
    """Open files; 0 where there is no such process."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except (FileNotFoundError, ProcessLookupError):
        return 0


def jailed(command: list[str]) -> bool:
    """Whether a process of the sandbox: a jail, or Python as a jail starts it."""
    return command[0].endswith("touchstone-jail") or command[1:3] == ["-I", "-S"]


def lasting(pid: int) -> dict[int, list[str]]:
    """A server and its processes but those of the sandbox, which come and go, with their commands."""
    found = {own: command for own, command in descendants(pid).items() if not jailed(command)}
    return {pid: ["the server itself"], **found}


def tree_rss(pid: int) -> int:
    """Resident bytes of a server's lasting processes together."""
    return sum(rss(one) for one in lasting(pid))


class Watch:
    """`with Watch(pid) as watch: ...; watch.peak`: the highest memory of a server, looked at often."""

    def __init__(self, pid: int, every: float = 0.1) -> None:
        self._pid, self._every = pid, every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.before = tree_rss(pid)
        self.peak = self.before

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(self._every):
            self.peak = max(self.peak, tree_rss(self._pid))
