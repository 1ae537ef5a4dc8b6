"""`touchstone top`: a live view of a running server, from its metrics endpoint."""

from __future__ import annotations

from typing import Annotated

import typer

from verifier.terminal import fail, printable


def top(
    address: Annotated[
        str, typer.Option(help="host:port of the metrics (touchstone serve --metrics-port).")
    ] = "127.0.0.1:9464",
    interval: Annotated[
        float, typer.Option(min=0.05, max=3600, help="Seconds between two looks.")
    ] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Print one view and end.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="A line of JSON for each view, without colours.")
    ] = False,
) -> None:
    """Watch a server: rates, latencies, queues, slots, caches, refusals."""
    # Not at the top: `serve` chooses how prometheus_client counts before it is imported.
    from verifier.top import NoAnswer
    from verifier.top_view import show

    try:
        show(address, interval, once, as_json)
    except NoAnswer as error:
        fail(printable(str(error)))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
