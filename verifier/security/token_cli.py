"""`touchstone token`: a new token for a caller."""

from __future__ import annotations

from typing import Annotated

import typer

from verifier.security.names import WANTED, is_name
from verifier.terminal import errors, fail


def token(
    name: Annotated[str, typer.Argument(help="Whose it is, as it stands in the file of callers.")],
) -> None:
    """Make a token: it is printed once on standard output, for the caller to keep.

    What the server's file of callers (--tokens) needs for it goes to standard error; the token
    cannot be found out from that.
    """
    from verifier.security import tokens

    if not is_name(name):
        fail(f"NAME: {WANTED}, got {name!a}")
    made = tokens.fresh()
    print(made)
    errors.print(tokens.lines(name, made), end="", markup=False, highlight=False, soft_wrap=True)
