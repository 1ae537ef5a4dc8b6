"""Findings of a language's linter. Evidence, never the verdict.

Python is linted by ruff: its own process, without configuration or cache, the program on its
standard input. It reads the text, runs nothing of it, and is killed when it takes too long.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from pathlib import Path

from verifier.v1 import verifier_pb2 as pb

LANGUAGES = frozenset({"python"})

RULES = "E4,E7,E9,F,B"
"""Likely errors (pycodestyle, Pyflakes, bugbear); nothing about layout."""

SECONDS = 5.0
"""A megabyte of program takes less than one."""

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
    signals.lint_findings = len(found)
    signals.lint.extend(found[:FINDINGS])


async def findings(program: str) -> list[str]:
    """Each as "code:line: message". Raises LintFailed."""
    ruff = Path(sys.executable).parent / "ruff"
    command = str(ruff) if ruff.exists() else shutil.which("ruff")
    if command is None:
        raise LintFailed("ruff is not installed")
    process = await asyncio.create_subprocess_exec(
        *(command, "check", "--isolated", "--no-cache", "--select", RULES),
        *("--output-format", "json", "--stdin-filename", "main.py", "-"),
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
    try:
        told = json.loads(output)
    except ValueError:
        raise LintFailed(f"ruff ended with status {process.returncode}") from None
    return [
        f"{one['code'] or 'syntax'}:{one['location']['row']}: {one['message'].splitlines()[0]}"
        for one in told
    ]
