"""Findings of a language's linter. Evidence, never the verdict.

Python is linted by ruff: its own process, without configuration or cache, the program on its
standard input. It reads the text, runs nothing of it, and is killed when it takes too long.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from verifier.v1 import verifier_pb2 as pb

LANGUAGES = frozenset({"python"})

RULES = "E4,E7,E9,F,B"
"""Likely errors (pycodestyle, Pyflakes, bugbear); nothing about layout."""

SECONDS = 5.0
"""A megabyte of program takes less than one."""

NAME = "main.py"

FINDINGS = 20
"""Kept of the findings; all are counted."""


class LintFailed(Exception):
    """The linter is missing or did not answer."""


async def into(signals: pb.StaticSignals, program: str) -> None:
    """Adds the findings; leaves the signals as they are where the linter cannot tell."""
    try:
        found = await findings(program)
    except LintFailed as failure:
        signals.lint.append(f"not linted: {failure}")
        return
    signals.lint_findings = found.count
    signals.lint.extend(found.first)


@dataclass(frozen=True)
class Findings:
    """How many there are, and the first of them as "code:line: message"."""

    count: int
    first: list[str]


async def findings(program: str) -> Findings:
    """What the linter says of a program. Raises LintFailed."""
    ruff = Path(sys.executable).parent / "ruff"
    command = str(ruff) if ruff.exists() else shutil.which("ruff")
    if command is None:
        raise LintFailed("ruff is not installed")
    process = await asyncio.create_subprocess_exec(
        *(command, "check", "--isolated", "--no-cache", "--select", RULES),
        *("--quiet", "--output-format", "concise", "--stdin-filename", NAME, "-"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(SECONDS):
            output, _ = await process.communicate(program.encode())
    except TimeoutError:
        raise LintFailed(f"ruff took more than {SECONDS:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode not in (0, 1):
        raise LintFailed(f"ruff ended with status {process.returncode}")
    found = [_finding(line) for line in islice(_LINE.finditer(output), FINDINGS)]
    return Findings(sum(1 for _ in _LINE.finditer(output)), found)


_LINE = re.compile(rb"^main\.py:(\d+):\d+: (?:\[\S+\] )?(\S+?):? (?:\[\*\] )?(.*)$", re.MULTILINE)


def _finding(line: re.Match[bytes]) -> str:
    row, code, message = (part.decode(errors="replace") for part in line.groups())
    return f"{code}:{row}: {message}"
