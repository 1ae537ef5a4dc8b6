"""C#: what Debian has, the compiler mcs and the runtime of Mono 6.8.

mcs knows most of C# 7 and parts of 8. Missing: local functions, an asynchronous Main, type patterns
in a switch, nullable reference types, records, switch expressions, ranges, top-level statements,
System.Text.Json and whatever else came with .NET Core. It reads 1_000 as 10000, so the separators
of digits are taken out before it sees a program.
"""

from __future__ import annotations

import os
import re

from sandbox.languages.base import (
    SYSTEM,
    Compile,
    Language,
    ToolchainMissing,
    locate,
    version_of,
)

COMPILER = "/usr/lib/mono/4.5/mcs.exe"
# Debian keeps it there; the runtime finds native libraries by it.
CONFIGURATION = "/etc/mono"
# mcs itself references mscorlib, System, System.Core and System.Xml.
REFERENCES = ("System.Numerics",)
FLAGS = ("-nologo", "-optimize+", "-unsafe+", "-codepage:utf8", "-define:ONLINE_JUDGE")
PROGRAM = "/tmp/main.exe"
# The finalizer, the collector's and the thread pool's threads.
THREADS = 16
MEMORY_BYTES = 48 << 20

# Strings, characters and comments are passed over; an unclosed one reaches to the end. Possessive,
# and with an end that may be missing: a text has one way to match, and never fails to.
TOKEN = re.compile(
    r'(?:@\$|\$@|@)"(?:[^"]|"")*+(?:"|\Z)'
    r'|"(?:\\.|[^"\\\n])*+"?'
    r"|'(?:\\.|[^'\\\n])*+'?"
    r"|//[^\n]*+"
    r"|/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z)"
    r"|\b(?P<number>[0-9][0-9A-Fa-fxX_.]*+)",
    re.MULTILINE,
)


def without_digit_separators(source: str) -> str:
    """The same program for a compiler that knows none."""
    if "_" not in source:
        return source
    return TOKEN.sub(_plain, source)


def _plain(token: re.Match[str]) -> str:
    number = token["number"]
    return token.group() if number is None else number.replace("_", "")


def find() -> Language:
    """Raises ToolchainMissing."""
    runtime = os.path.realpath(locate("mono", "mono-runtime"))
    locate("mcs", "mono-mcs")
    if not os.path.exists(COMPILER):
        raise ToolchainMissing(f"{COMPILER} is not installed (Debian package mono-mcs)")
    references = (f"-r:{name}.dll" for name in REFERENCES)
    words = (runtime, COMPILER, *FLAGS, *references, f"-out:{PROGRAM}")
    script = f"cd /box && {' '.join(words)} main.cs >&2 && exec cat {PROGRAM}"
    found = re.search(r"version (\d+\.\d+\.\d+)", version_of(runtime, "--version"))
    return Language(
        needs_proc=True,
        name="csharp",
        toolchain=f"mono {found.group(1)}" if found else "mono",
        source_name="main.cs",
        artifact_name="main.exe",
        compile=Compile(("/bin/sh", "-c", script)),
        rewritten=without_digit_separators,
        run=(runtime, "/box/main.exe"),
        shown=(*SYSTEM, *filter(os.path.isdir, (CONFIGURATION,))),
        # Without it every process leaves a file in shared memory.
        env={"MONO_DISABLE_SHARED_AREA": "1"},
        processes=THREADS,
        memory_bytes=MEMORY_BYTES,
    )
