"""User ids for slots, different for every slot of every server on a machine.

Two ids for each slot: the jail's driver and its runs. Where the whole range of ids is available
they are derived from the server's pid, so that servers need not talk to each other.
"""

from __future__ import annotations

from pathlib import Path

from sandbox import limits
from sandbox.launch import Users

# pid_max is at most 2^22; times 2 ids for each of MAX_SLOTS slots that is 2^30 ids from here.
HIGH_BASE = 1 << 30
PID_LIMIT = 1 << 22
# In a user namespace with a short map (a rootless or remapped container), the only server there.
LOW_BASE = 20_000

_taken: set[int] = set()


class NoUsersLeft(Exception):
    """This process has MAX_SLOTS slots already, or its user namespace has too few ids."""


def _ids_available(uid_map: str) -> int:
    """How many ids, from 0 on, the user namespace has."""
    end = 0
    for start, _, count in sorted(tuple(map(int, line.split())) for line in uid_map.splitlines()):
        if start > end:
            break
        end = max(end, start + count)
    return end


def base_for(pid: int, uid_map: str) -> int:
    """First id of a server's block."""
    available = _ids_available(uid_map)
    if available >= HIGH_BASE + PID_LIMIT * 2 * limits.MAX_SLOTS:
        return HIGH_BASE + (pid % PID_LIMIT) * 2 * limits.MAX_SLOTS
    if available >= LOW_BASE + 2 * limits.MAX_SLOTS:
        return LOW_BASE
    raise NoUsersLeft(f"the user namespace has {available} ids, {LOW_BASE + 256} are needed")


def take(pid: int) -> tuple[int, Users]:
    """A number that no other slot of this process has, and its users."""
    number = next((n for n in range(limits.MAX_SLOTS) if n not in _taken), None)
    if number is None:
        raise NoUsersLeft(f"this process has {limits.MAX_SLOTS} slots already")
    first = base_for(pid, Path("/proc/self/uid_map").read_text()) + 2 * number
    _taken.add(number)
    return number, Users(driver=first, run=first + 1)


def give_back(number: int) -> None:
    _taken.discard(number)
