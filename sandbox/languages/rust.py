"""Rust: rustc alone, edition 2021; no cargo, so no crates but the standard library.

Optimised as C++ is, for any processor of the architecture, in one piece (in several it takes more
CPU time in all), and linked statically. Integer overflow wraps, as in every release build.
"""

from __future__ import annotations

import os
import re
import subprocess

from sandbox.languages.base import Compile, Language, ToolchainMissing, locate, version_of

PACKAGE = "rustc-web"
EDITION = "2021"
FLAGS = (
    f"--edition={EDITION}",
    "--crate-name=main",
    # Also where the program asks for another one.
    "--crate-type=bin",
    "-Copt-level=2",
    "-Ccodegen-units=1",
    "-Ctarget-feature=+crt-static",
    "-Crelocation-model=static",
    "-Cstrip=symbols",
    # There are dozens about any program; what the language makes an error stays one.
    "-Awarnings",
    "--color=never",
)
PROGRAM = "/tmp/program"


def find() -> Language:
    """Raises ToolchainMissing."""
    compiler = _compiler()
    locate("cc", "gcc")  # links
    # It links in a fifth of the CPU time that bfd takes.
    gold = ("-Clink-arg=-fuse-ld=gold",) if os.path.exists("/usr/bin/ld.gold") else ()
    words = " ".join((compiler, *FLAGS, *gold, "-o", PROGRAM, "main.rs"))
    found = re.search(r"(\d+\.\d+\.\d+)", version_of(compiler, "--version"))
    return Language(
        name="rust",
        toolchain=f"rustc {found.group(1) if found else '?'}, edition {EDITION}",
        source_name="main.rs",
        artifact_name="main",
        compile=Compile(("/bin/sh", "-c", f"cd /box && {words} && exec cat {PROGRAM}")),
        run=("/box/main",),
    )


def _compiler() -> str:
    """The compiler itself: what rustup puts on the path is not it, and needs a home directory."""
    asked = (locate("rustc", PACKAGE), "--print", "sysroot")
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    root = done.stdout.strip()
    compiler = f"{root}/bin/rustc"
    if done.returncode != 0 or not os.path.exists(compiler):
        raise ToolchainMissing(f"{asked[0]} does not run (Debian package {PACKAGE})")
    if not root.startswith("/usr"):
        raise ToolchainMissing(f"{root} is not shown in jails (Debian package {PACKAGE})")
    return compiler
