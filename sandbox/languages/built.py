"""What is built once for this host: precompiled headers, tools, class archives.

Each is a directory in cache_directory() whose name ends in a hash of everything that went into it,
so that another compiler or another version of a tool makes another directory. It is there only
when it is complete: it is built beside its place and renamed. Two servers that build the same at
once wait for each other.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.languages.base import HIDDEN, ToolchainMissing, cache_directory

# Building the slowest of them takes some 10 s of CPU time.
BUILD_SECONDS = 300.0


class BuildFailed(Exception):
    """The command that builds it failed; the message holds what it said."""


@dataclass(frozen=True, slots=True)
class Built:
    """A directory and how to fill it; `fill` is given an empty directory."""

    name: str
    key: str
    fill: Callable[[Path], None]

    @property
    def path(self) -> Path:
        return cache_directory() / f"{self.name}-{self.key}"

    @property
    def ready(self) -> bool:
        return self.path.is_dir()

    @property
    def usable(self) -> bool:
        """It is there, and where jails can show it."""
        return self.ready and not str(self.path).startswith(HIDDEN)

    def build(self) -> None:
        """Builds it if it is missing; safe in any number of processes."""
        if self.ready:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(self.path.with_suffix(".lock")):
            if not self.ready:
                self._build()

    def _build(self) -> None:
        place = Path(tempfile.mkdtemp(prefix=".building-", dir=self.path.parent))
        try:
            self.fill(place)
            _readable(place)
            place.rename(self.path)
        finally:
            shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _readable(place: Path) -> None:
    """Programs run as other users than the server, and only read."""
    place.chmod(0o755)
    for path in place.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


TOOLS = Path(__file__).parent / "tools"


def tools() -> str:
    """A directory with the tools of the warm compilers that jails can show.

    A copy in the cache: the checkout may lie where other users cannot go, or below /tmp, and its
    place is nobody's business. Raises ToolchainMissing where neither can be shown.
    """

    def fill(place: Path) -> None:
        shutil.copytree(TOOLS, place, dirs_exist_ok=True)

    copy = Built("tools", key(*sorted(TOOLS.iterdir())), fill)
    try:
        copy.build()
        found = str(copy.path)
    except OSError:  # no cache can be written
        found = str(TOOLS)
    if found.startswith(HIDDEN):
        raise ToolchainMissing(f"its tools lie in {found}, which jails hide; set TOUCHSTONE_CACHE")
    return found


def key(*parts: str | Path) -> str:
    """A hash of texts and of the contents of files."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else part.encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()[:16]


def stamp(path: str) -> str:
    """Tells one build of a program from another without reading all of it."""
    status = os.stat(path)
    return f"{os.path.realpath(path)} {status.st_size} {status.st_mtime_ns}"


def execute(*argv: str, stdin: bytes = b"") -> bytes:
    """Runs a build command and returns its output; it stands back behind the server's work."""
    done = subprocess.run(
        ("nice", *argv), input=stdin, capture_output=True, timeout=BUILD_SECONDS, check=False
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise BuildFailed(f"{argv[0]} exited with {done.returncode}: {said[:500]}")
    return done.stdout
