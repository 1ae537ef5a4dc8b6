"""What all commands of `touchstone` say to a person, and how they give up."""

from __future__ import annotations

from typing import NoReturn

import typer
from rich.console import Console

errors = Console(stderr=True)

CANNOT_RUN = 2
"""Exit status of a command that cannot do what it was asked for."""


def fail(message: str) -> NoReturn:
    """Says why, and ends the command."""
    errors.print(f"touchstone: {message}", style="red", markup=False, soft_wrap=True)
    raise typer.Exit(CANNOT_RUN)


def printable(text: str) -> str:
    """What a terminal obeys, and what UTF-8 cannot hold, as escapes: hostile text is quoted."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
