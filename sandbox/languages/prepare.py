"""Builds what the languages of this host need built once; see built.py.

    python -m sandbox.languages.prepare

It says what it builds. It may run at any time and any number of times at once: what is ready is
left alone. A Language that was found before is not changed by it: call find() again.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from sandbox.languages import cpp, go, java
from sandbox.languages.base import ToolchainMissing
from sandbox.languages.built import BuildFailed, Built

# Java first: it is faster to build, and its start gains most.
BUILDS: tuple[Callable[[], tuple[Built, ...]], ...] = (java.builds, cpp.builds, go.builds)


def missing() -> list[Built]:
    """What is to be built. Languages whose toolchain is missing have nothing."""
    found: list[Built] = []
    for builds in BUILDS:
        try:
            found += [built for built in builds() if not built.ready]
        except ToolchainMissing:
            continue
    return found


def prepare(say: Callable[[str], None] = lambda _: None) -> list[str]:
    """Builds what is missing; returns what failed, a line for each."""
    failures: list[str] = []
    for built in missing():
        say(f"building {built.path}")
        try:
            built.build()
        except (BuildFailed, OSError, ToolchainMissing, subprocess.TimeoutExpired) as error:
            failures.append(f"{built.name}: {error}")
    return failures


def main() -> int:
    """The exit status is 1 where something could not be built."""
    failures = prepare(print)
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
