"""Ruby without RubyGems (17 ms of CPU time to start instead of 140).

The gems that come with Ruby and that programs use are on the path all the same.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from sandbox.languages.base import Language, ToolchainMissing, locate, version_of

PACKAGE = "ruby"
# What is left out looks for gems, or decorates messages on standard error.
OPTIONS = ("--disable=gems,did_you_mean,error_highlight,rubyopt",)
# In Ruby 3.1 gems, before that part of the library.
GEMS = ("matrix", "prime")
# Some 500,000 calls deep; the usual 1 MiB holds 10,000. What is not touched is not taken.
STACK_BYTES = 128 << 20
# Its timer, and what waits in the names of others.
THREADS = 4
# An empty program takes 12 MiB.
MEMORY_BYTES = 32 << 20


def find() -> Language:
    """Raises ToolchainMissing."""
    ruby = locate("ruby", PACKAGE)
    found = re.search(r"ruby (\d+\.\d+\.\d+)", version_of(ruby, *OPTIONS, "--version"))
    paths = [word for path in _gems(ruby) for word in ("-I", path)]
    return Language(
        name="ruby",
        toolchain=f"ruby {found.group(1)}" if found else "ruby",
        source_name="main.rb",
        run=(ruby, *OPTIONS, *paths, "/box/main.rb"),
        env={"RUBY_THREAD_VM_STACK_SIZE": str(STACK_BYTES)},
        processes=THREADS,
        memory_bytes=MEMORY_BYTES,
    )


def _gems(ruby: str) -> list[str]:
    """Where each of the gems lies that is installed."""
    question = "puts RbConfig::CONFIG.values_at('rubylibprefix', 'ruby_version')"
    asked = (ruby, *OPTIONS, "-r", "rbconfig", "-e", question)
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    if done.returncode != 0 or len(lines) != 2:
        raise ToolchainMissing(f"{ruby} does not run (Debian package {PACKAGE})")
    gems = Path(lines[0]) / "gems" / lines[1] / "gems"
    return [str(path) for name in GEMS for path in sorted(gems.glob(f"{name}-[0-9]*/lib"))[-1:]]
