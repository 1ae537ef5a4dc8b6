"""Java: the JDK of the host, compiled by a warm javac (tools/CompileServer.java).

Where prepare.py has not been run, the compile server is compiled when it starts (1 s), and a run
starts some 7 ms later.

Both compilers of the JVM are on: without the second one (TieredStopAtLevel=1) an empty program
starts 1 ms and a small one 8 ms earlier, but long computations take two to three times as long.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from sandbox.languages.base import (
    SYSTEM,
    Language,
    ToolchainMissing,
    WarmCompiler,
    locate,
    version_of,
)
from sandbox.languages.built import TOOLS, Built, execute, key, stamp, tools

PACKAGE = "openjdk-17-jdk-headless"
# The compile server is written in the Java of that version.
OLDEST = 17
SERVER = TOOLS / "CompileServer.java"
TYPICAL = TOOLS / "Typical.java"
# The program that fills the archive reads two lines.
TYPICAL_INPUT = b"3 1 2 2\n4 5 1.5\n"
ARCHIVE = "classes.jsa"
CLASS_LIST = "classes.txt"
# The first compilation takes 600 ms, the sixth 60.
WARM_UPS = 5

# The collector with the fewest threads and the fastest start; no file in /tmp for other JVMs.
START = ("-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xshare:auto")
# The same on a host of any size: the number of compiler threads, and of threads in the common pool
# of parallel streams, follows it. A run has one core.
PROCESSORS = ("-XX:ActiveProcessorCount=2",)
# The heap ends where the request's memory limit does: what the JVM would take on its own depends on
# the host's memory, and it would collect garbage too late. Its first size is what a small program
# needs; its default would be 1/64 of the host's memory.
HEAP = ("-Xms32m", "-Xmx{memory_mib}m")
# Stack of every thread that does not ask for its own; only what is touched is taken. It holds some
# 500,000 simple calls. The JVM takes several times the stack while it unwinds an overflow (300 MiB
# in all for 64 MiB, 1.8 GiB for 256 MiB), so that a larger one would end endless recursion at the
# memory limit instead of in a StackOverflowError.
STACK = ("-Xss64m",)
COMPILE_HEAP = ("-Xms64m", "-Xmx384m")
# Compiling is many short tasks: the second compiler would take more time than it saves.
COMPILE_TIERS = ("-XX:TieredStopAtLevel=1",)
# The JVM's own threads: collector, compilers, references, signals and so on.
THREADS = 24
# Classes, compiled code, stacks and the JVM's own data, beside the heap; 35 MiB in a small program.
MEMORY_BYTES = 128 << 20


def find() -> Language:
    """Raises ToolchainMissing."""
    home = _home()
    java = str(home / "bin/java")
    version = _version(java)
    built = _tools(home)
    own: tuple[str, ...] = (str(built.path),) if built.usable else ()
    archive = tuple(f"-XX:SharedArchiveFile={path}/{ARCHIVE}" for path in own)
    shown = tools()
    server = ("-cp", own[0], "CompileServer") if own else (f"{shown}/{SERVER.name}",)
    return Language(
        name="java",
        toolchain=f"openjdk {version}",
        source_name="Main.java",
        artifact_name="main.jar",
        compile=WarmCompiler(
            (
                java,
                *START,
                *PROCESSORS,
                *COMPILE_TIERS,
                *COMPILE_HEAP,
                *server,
                f"{shown}/{TYPICAL.name}",
                str(WARM_UPS),
            ),
            shown=(shown,),
        ),
        run=(
            java,
            *START,
            *PROCESSORS,
            *archive,
            *STACK,
            *HEAP,
            "-DONLINE_JUDGE=true",
            "-jar",
            "/box/main.jar",
        ),
        shown=(*SYSTEM, *_outside_usr(home), *own),
        processes=THREADS,
        memory_bytes=MEMORY_BYTES,
    )


def builds() -> tuple[Built, ...]:
    """The compiled compile server and the archive of classes; 3 s of CPU time."""
    return (_tools(_home()),)


def _tools(home: Path) -> Built:
    java, javac = str(home / "bin/java"), str(home / "bin/javac")

    def fill(place: Path) -> None:
        execute(javac, "-proc:none", "-d", str(place), str(SERVER))
        _archive(java, javac, place)

    identity = (stamp(str(home / "lib/modules")), stamp(java))
    return Built("java", key(*identity, SERVER, TYPICAL, *START), fill)


def _archive(java: str, javac: str, place: Path) -> None:
    """An archive of the JDK's classes that a typical program uses, ready to be mapped."""
    with tempfile.TemporaryDirectory(dir=place) as scratch:
        execute(javac, "-proc:none", "-d", scratch, str(TYPICAL))
        listed = f"{scratch}/{CLASS_LIST}"
        list_classes = (*START, f"-XX:DumpLoadedClassList={listed}", "-cp", scratch, "Typical")
        execute(java, *list_classes, stdin=TYPICAL_INPUT)
        # The program's own classes are not there when another one runs.
        lines = Path(listed).read_text().splitlines(keepends=True)
        kept = [line for line in lines if "Typical" not in line]
        Path(listed).write_text("".join(kept))
        archive = f"-XX:SharedArchiveFile={place}/{ARCHIVE}"
        execute(java, "-Xshare:dump", f"-XX:SharedClassListFile={listed}", archive)


def _home() -> Path:
    """The JDK that `javac` belongs to."""
    home = Path(os.path.realpath(locate("javac", PACKAGE))).parent.parent
    if not (home / "bin/java").exists() or not (home / "lib/modules").exists():
        raise ToolchainMissing(f"{home} is not a whole JDK (Debian package {PACKAGE})")
    return home


def _version(java: str) -> str:
    line = version_of(java, "-version")
    found = re.search(r'"((\d+)[^"]*)"', line)
    if found is None or int(found.group(2)) < OLDEST:
        raise ToolchainMissing(f"{line} is older than Java {OLDEST} (Debian package {PACKAGE})")
    return found.group(1)


def _outside_usr(home: Path) -> tuple[str, ...]:
    """Debian keeps a JDK's settings in /etc; another JDK may lie anywhere."""
    settings = {os.path.realpath(home / "conf/security"), os.path.realpath(home / "lib/jvm.cfg")}
    settings |= {os.path.realpath(path) for path in (home / "conf/security").glob("java.*")}
    places = {str(home)} | {_top(Path(path), home) for path in settings}
    return tuple(sorted(place for place in places if not place.startswith("/usr/")))


def _top(path: Path, home: Path) -> str:
    """The JDK's directory of settings that the file lies in: /etc/java-17-openjdk."""
    if path.is_relative_to(home):
        return str(home)
    parts = path.parts
    return str(Path(*parts[:3])) if len(parts) > 3 else str(path.parent)
