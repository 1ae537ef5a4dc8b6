"""What the sandbox needs to know about a language.

A language is one file here: `find()` looks for its toolchain on this host and returns a Language,
or raises ToolchainMissing with what is missing. How its programs come to run:

- Interpreted where they stand (`compile` is None): the source is put into /box under `source_name`
  and each run executes `run`.
- Compiled: `compile` turns the source into an artifact, which is put into /box under
  `artifact_name` instead; artifacts are cached by the hash of everything that went into them.
- Python alone is forked from a warm interpreter (`zygote`); a run of it executes nothing new.

In a jail the file system holds `shown`, read-only at the same places, the usual devices, /proc,
/box (read-only, holds only what is put there) and an empty writable /tmp, which is the working
directory. Environment: ENVIRONMENT and `env`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

# What a dynamically linked program needs; each is shown as it is on the host, link or directory.
SYSTEM = tuple(
    path
    for path in ("/usr", "/bin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/ld.so.cache")
    if os.path.lexists(path)
)
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "TMPDIR": "/tmp", "LANG": "C.UTF-8"}
VERSION_SECONDS = 20.0
# Where a jail has file systems of its own: what lies below on the host cannot be shown in it.
HIDDEN = ("/tmp/", "/box/", "/dev/", "/proc/")


class ToolchainMissing(Exception):
    """The language cannot be run here; the message names what is missing."""


@dataclass(frozen=True, slots=True)
class Compile:
    """A compiler started anew for each program, in the jail of a run.

    `argv` runs in /tmp with the source as /box/`source_name`; the artifact is what it writes on
    standard output, diagnostics are what it writes on standard error, and an exit status other
    than 0 is a compile error.
    """

    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WarmCompiler:
    """A compiler that stays, in a jail of its own.

    `argv` reads requests on standard input and answers each on standard output. A request is a
    length (4 bytes, little-endian) and the source in UTF-8; an answer is one byte, "A" for an
    artifact or "D" for diagnostics of a program that does not compile, a length, and that many
    bytes. It has the user, the limits and the file system of a run, but no /box.
    """

    argv: tuple[str, ...]
    # What it needs to see beside what programs do.
    shown: tuple[str, ...] = ()
    # It is replaced by a fresh one after so many programs, so that it cannot grow for ever.
    programs: int = 1000


@dataclass(frozen=True, slots=True)
class Language:
    """A language whose toolchain was found."""

    name: str
    # For a person: the interpreter or compiler and its version, e.g. "g++ 12.2.0".
    toolchain: str
    # The name of a program's file: "main.cpp".
    source_name: str
    # What a run executes; "{memory_mib}" in a word stands for the run's memory limit. Empty for a
    # language with a zygote.
    run: tuple[str, ...]
    compile: Compile | WarmCompiler | None = None
    # The slower compiler that is asked instead where a request sets type_check.
    type_check: Compile | WarmCompiler | None = None
    # What is done to a program's text before its compiler sees it: the meaning stays, and so do
    # the lines.
    rewritten: Callable[[str], str] | None = None
    artifact_name: str = ""
    shown: tuple[str, ...] = SYSTEM
    env: dict[str, str] = field(default_factory=dict)
    # Processes and threads that the runtime has beside the program's own.
    processes: int = 0
    # Bytes that the runtime takes beside the program's own; added to the memory limit.
    memory_bytes: int = 0
    # It does not start without /proc, which tiers 1 and 2 hide.
    needs_proc: bool = False
    # What starts its zygote (Python).
    zygote: tuple[str, ...] = ()


def locate(command: str, package: str) -> str:
    """The full path of a command; raises ToolchainMissing and names the Debian package."""
    path = shutil.which(command, path="/usr/local/bin:/usr/bin:/bin")
    if path is None:
        raise ToolchainMissing(f"{command} is not installed (Debian package {package})")
    return path


def version_of(*argv: str) -> str:
    """The first line that a command prints about its version."""
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=VERSION_SECONDS,
        check=False,
    )
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        raise ToolchainMissing(f"{argv[0]} does not run: {' '.join(lines)[:200]}")
    return lines[0]


def cache_directory() -> Path:
    """Where what is built once for this host is kept (precompiled headers, tools).

    $TOUCHSTONE_CACHE, else /var/cache/touchstone for root, whose programs run as other users and
    must get there, else $XDG_CACHE_HOME/touchstone, else ~/.cache/touchstone.
    """
    if own := os.environ.get("TOUCHSTONE_CACHE"):
        return Path(own)
    if os.geteuid() == 0:
        return Path("/var/cache/touchstone")
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "touchstone"
