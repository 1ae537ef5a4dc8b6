"""Go: its compiler and linker called directly, as `go build` calls them.

The go command itself looks at its cache, at modules and at the whole standard library: 150 ms of
CPU time for each program, and seconds where its cache is empty, beside the 20 ms of the compiler
and the 100 ms of the linker. Programs are static and need nothing at run time. All files of a
request that end in .go belong to package main, as in a directory; there is no cgo and nothing
outside of the standard library.

Go before 1.20 has the standard library compiled beside its sources. For a later one prepare.py
compiles it, and the language is missing until then.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from sandbox.languages.base import (
    SYSTEM,
    Compile,
    Language,
    ToolchainMissing,
    locate,
    version_of,
)
from sandbox.languages.built import Built, execute, key, stamp

PACKAGE = "golang-go"
# The go command does what it is told here and nothing else: no network, no other toolchain, no
# settings of the user.
SETTINGS = (
    "CGO_ENABLED=0",
    "GO111MODULE=off",
    "GOENV=off",
    "GOFLAGS=",
    "GOPROXY=off",
    "GOTOOLCHAIN=local",
)
CONFIGURATION = "importcfg"
# Not compiled for programs: they have no network and no compiler, and these are half of the work.
LEFT_OUT = ("cmd/", "go/", "debug/", "net/http", "net/rpc", "net/smtp", "crypto/tls", "crypto/x509")
# Packages that one command compiles, with what they need.
AT_ONCE = 20
PROGRAM = "/tmp/program"
# The same on a host of any size: the number of threads follows it. A run has one core; with two,
# goroutines still take turns at any point, as they do elsewhere.
PROCESSORS = "2"
# Collects garbage more often near the limit instead of growing beyond it.
MEMORY_LIMIT = "{memory_mib}MiB"
# The runtime's own threads: monitor, collector and those that wait in system calls.
THREADS = 16
# The heap's own books; an empty program takes 3 MiB.
MEMORY_BYTES = 16 << 20


def find() -> Language:
    """Raises ToolchainMissing."""
    go = locate("go", PACKAGE)
    root, tools, release = _environment(go)
    compiler, linker = str(tools / "compile"), str(tools / "link")
    for path in (compiler, linker):
        if not os.access(path, os.X_OK):
            raise ToolchainMissing(f"{path} is not installed (Debian package {PACKAGE})")
    own: tuple[str, ...] = ()
    library = ""
    if not _has_library(root):
        built = _library(go, root, tools)
        if not built.ready:
            raise ToolchainMissing(
                f"the standard library of {release} is not built: touchstone-sandbox prepare"
            )
        if not built.usable:
            raise ToolchainMissing(
                f"its library lies in {built.path}, which jails hide; set TOUCHSTONE_CACHE"
            )
        own = (str(built.path),)
        library = f"-importcfg {built.path}/{CONFIGURATION} "
    compile_words = f"{compiler} -p main -complete {library}-o {PROGRAM}.o ./*.go"
    link_words = f"{linker} {library}-s -w -o {PROGRAM} {PROGRAM}.o"
    # Sources are named as `go build` names them. Messages are on standard output.
    script = f"cd /box && {compile_words} >&2 && {link_words} >&2 && exec cat {PROGRAM}"
    outside = () if str(root).startswith("/usr/") else (str(root),)
    return Language(
        name="go",
        toolchain=release,
        source_name="main.go",
        artifact_name="main",
        compile=Compile(("/bin/sh", "-c", script)),
        run=("/box/main",),
        shown=(*SYSTEM, *outside, *own),
        env={"GOMAXPROCS": PROCESSORS, "GOMEMLIMIT": MEMORY_LIMIT},
        processes=THREADS,
        memory_bytes=MEMORY_BYTES,
    )


def builds() -> tuple[Built, ...]:
    """The standard library, where the toolchain has it as source alone; a minute of CPU time."""
    go = locate("go", PACKAGE)
    root, tools, _ = _environment(go)
    return () if _has_library(root) else (_library(go, root, tools),)


def _environment(go: str) -> tuple[Path, Path, str]:
    """Where the toolchain lies, where its compiler lies, and "go 1.19.8"."""
    version = version_of("env", *SETTINGS, go, "version")
    found = re.search(r"go(\d+\.\d+(?:\.\d+)?\S*)", version)
    asked = ("env", *SETTINGS, go, "env", "GOROOT", "GOTOOLDIR")
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    lines = done.stdout.split()
    if done.returncode != 0 or len(lines) != 2:
        raise ToolchainMissing(f"{go} does not run: {done.stderr.strip()[:200]}")
    root, tools = map(Path, lines)
    return root, tools, f"go {found.group(1)}" if found else version


def _has_library(root: Path) -> bool:
    return any((root / "pkg").glob("linux_*/fmt.a"))


def _library(go: str, root: Path, tools: Path) -> Built:
    def fill(place: Path) -> None:
        command = ("env", *SETTINGS, f"GOCACHE={place}/cache", go, "list")
        packages = execute(*command, "std").decode().split()
        wanted = [name for name in packages if not name.startswith((*LEFT_OUT, "vendor/"))]
        form = "{{if .Export}}{{.ImportPath}} {{.Export}}{{end}}"
        places: dict[str, Path] = {}
        # Each command has its time, and goes on from what those before it left in the cache.
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start : start + AT_ONCE]
            listed = execute(*command, "-export", "-deps", "-f", form, *some).decode()
            for line in filter(None, listed.splitlines()):
                name, _, compiled = line.partition(" ")
                if name not in places:
                    places[name] = place / f"{len(places)}.a"
                    os.link(compiled, places[name])
        lines = [f"packagefile {name}={library.path}/{one.name}\n" for name, one in places.items()]
        (place / CONFIGURATION).write_text("".join(lines))
        shutil.rmtree(place / "cache")

    identity = (str(root), stamp(str(tools / "compile")), stamp(str(tools / "link")))
    library = Built("go", key(*identity, *LEFT_OUT), fill)
    return library
