"""C++: g++, as GNU C++20 ("cpp") and GNU C++17 ("cpp17").

Optimised for any processor of the architecture, since compiled programs are cached, and linked
statically: a dynamically linked program takes 1.1 ms of CPU time to start, a static one 0.4 ms.
ONLINE_JUDGE is defined, as on contest sites.

`bits/stdc++.h` is precompiled where prepare.py has been run. g++ takes the precompiled one only if
it was made with the same flags, if it is the first header of the program and if no macro of the
program changes it; else it reads the header itself. Where nothing but other headers comes before
it, it is put first. The program's meaning is the same.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from sandbox.languages.base import SYSTEM, Compile, Language, ToolchainMissing, locate, version_of
from sandbox.languages.built import Built, execute, key, stamp

PACKAGE = "g++"
STANDARDS = {"cpp": "gnu++20", "cpp17": "gnu++17"}
OPTIMISATION = ("-O2", "-pthread", "-DONLINE_JUDGE")
# -pipe: no temporary file for the assembler.
FLAGS = (*OPTIMISATION, "-pipe", "-fdiagnostics-color=never")
# The program's name within /tmp while it is compiled.
PROGRAM = "/tmp/program"
HEADER = "bits/stdc++.h"
VERSION = re.compile(r"(\d+\.\d+\.\d+)")

# Blank lines, comments and other headers, then this one. Possessive: a text has one way to match.
HEADERS_FIRST = re.compile(
    r"((?:\s|//[^\n]*+\n|/\*(?:[^*]|\*(?!/))*+\*/|\#[ \t]*+include[ \t]*+<[\w./+-]++>[ \t]*+\n)*?)"
    r"(\#[ \t]*+include[ \t]*+<bits/stdc\+\+\.h>)"
)


def with_its_header_first(source: str) -> str:
    """The same program with `bits/stdc++.h` as its first header, where that changes nothing."""
    found = HEADERS_FIRST.match(source)
    if found is None or "include" not in found[1]:
        return source
    rest = found[1] + source[found.end() :]
    return f'#include <{HEADER}>\n#line 1 "main.cpp"\n{rest}'


def link_flags() -> tuple[str, ...]:
    """Static; gold, where it is installed, links in half of the time that bfd takes."""
    gold = ("-fuse-ld=gold",) if os.path.exists("/usr/bin/ld.gold") else ()
    return ("-static", "-s", *gold)


def compile_command(compiler: str, source: str, *flags: str) -> Compile:
    """From /box, so that diagnostics name the file without a directory."""
    words = " ".join((compiler, *flags, "-o", PROGRAM, source))
    libraries = " -lm" if source.endswith(".c") else ""
    return Compile(("/bin/sh", "-c", f"cd /box && {words}{libraries} && exec cat {PROGRAM}"))


def find_all() -> tuple[Language, ...]:
    """Both standards."""
    return tuple(find(name) for name in STANDARDS)


def find(name: str = "cpp") -> Language:
    """One standard; raises ToolchainMissing."""
    compiler = locate("g++", PACKAGE)
    header = precompiled(name)
    own = (header.path,) if header.usable else ()
    flags = (f"-std={STANDARDS[name]}", *FLAGS, *(f"-I{path}" for path in own), *link_flags())
    return Language(
        name=name,
        toolchain=f"g++ {release(compiler)}, {STANDARDS[name]}",
        source_name="main.cpp",
        artifact_name="main",
        compile=compile_command(compiler, "main.cpp", *flags),
        rewritten=with_its_header_first if own else None,
        run=("/box/main",),
        shown=(*SYSTEM, *map(str, own)),
    )


def builds() -> tuple[Built, ...]:
    """The precompiled headers; 7 s of CPU time on a fast core and 120 MB each."""
    return tuple(precompiled(name) for name in STANDARDS)


def precompiled(name: str) -> Built:
    compiler = locate("g++", PACKAGE)
    flags = (f"-std={STANDARDS[name]}", *FLAGS)
    # The compiler proper checks that it wrote the header itself.
    proper = _ask(compiler, "-print-prog-name=cc1plus")

    def fill(place: Path) -> None:
        (place / "bits").mkdir()
        target = place / f"{HEADER}.gch"
        source = _header(compiler, flags[0])
        execute(compiler, *flags, "-x", "c++-header", "-o", str(target), source)

    return Built(f"pch-{name}", key(*flags, stamp(proper)), fill)


def release(compiler: str) -> str:
    """E.g. "12.2.0"."""
    line = version_of(compiler, "--version")
    found = VERSION.search(line.rsplit(")", 1)[-1]) or VERSION.search(line)
    return found.group(1) if found else line


def _header(compiler: str, standard: str) -> str:
    """Where bits/stdc++.h lies."""
    listing = execute(compiler, standard, "-x", "c++", "-M", "-", stdin=b"#include <bits/stdc++.h>")
    for word in listing.decode().split():
        if word.endswith(HEADER):
            return word
    raise ToolchainMissing(f"{HEADER} is not installed (Debian package libstdc++-dev)")


def _ask(compiler: str, question: str) -> str:
    done = subprocess.run((compiler, question), capture_output=True, text=True, check=False)
    answer = done.stdout.strip()
    if done.returncode != 0 or not os.path.exists(answer):
        raise ToolchainMissing(f"{compiler} is not complete: no {question} (Debian package g++)")
    return answer
