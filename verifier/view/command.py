"""`touchstone view`: verdicts in, one HTML page out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal

from verifier.terminal import errors, fail


def view(
    verdicts: Annotated[Path, typer.Argument(help="Verdicts, JSON Lines; - for standard input.")],
    items: Annotated[
        Path | None,
        typer.Option(help="The items verified: adds prompts, responses and whole inputs."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="The page; - for stdout. Default: beside the verdicts, NAME.html."),
    ] = None,
) -> None:
    """Write one HTML page that shows verdicts; it needs no network."""
    from verifier.view import render
    from verifier.view.read import BadInput, read_items, read_verdicts

    standard = str(verdicts) == "-"
    if output is None:
        output = Path("-") if standard else verdicts.with_suffix(".html")
    for given in (verdicts, items):
        if given is not None and str(output) != "-" and output.resolve() == given.resolve():
            fail(f"--output: is an input itself, {output}")
    if standard and items is not None and str(items) == "-":
        fail("--items: standard input holds the verdicts")
    source: Path = verdicts
    try:
        found = read_verdicts(_lines(verdicts))
        joined = None
        if items is not None:
            source = items
            joined = read_items(_lines(items), found)
    except (BadInput, OSError) as error:
        fail(f"{source}: {error}")
    page = render(found, joined, title="verdicts" if standard else verdicts.name).encode()
    try:
        if str(output) == "-":
            sys.stdout.buffer.write(page)
            sys.stdout.buffer.flush()
        else:
            output.write_bytes(page)
            errors.print(
                f"{output}: {len(found):,} verdicts, {decimal(len(page))}",
                markup=False, highlight=False, soft_wrap=True,
            )  # fmt: skip
    except OSError as error:
        fail(f"--output: {error}")


def _lines(path: Path) -> list[bytes]:
    if str(path) == "-":
        return sys.stdin.buffer.readlines()
    with path.open("rb") as file:
        return file.readlines()
