"""The demo: real work with known verdicts, verified over gRPC.

Two inputs: `demo.jsonl` beside this file (items written for this project, whose
known verdicts stand in `meta`) and, where a data folder is at hand, real model
outputs (`real_data.py`). Prints agreement and rate for each set, every
disagreement, and at the end one line of JSON with the figures.

Exit status 0 only if every item got a verdict, all our own items agree and at
least 99 % of the real ones do. `known_disagreements.json` explains rows of the
data folder whose label or test is at fault; it changes no figure.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import real_data
import typer
from known import Known, KnownSet, difference, expectation
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from verifier import jsonl
from verifier.client import ServiceError, VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb

HERE = Path(__file__).resolve().parent
OWN_ITEMS = HERE / "demo.jsonl"
EXPLANATIONS = HERE / "known_disagreements.json"
BESIDE_THE_REPOSITORY = HERE.parent.parent / "shared" / "data"

OWN_NAME = "our own items"
OWN_AGREEMENT = 1.0
REAL_AGREEMENT = 0.99
"""The agreement below which the demo fails. Some real labels are wrong themselves."""

NO_VERDICT = "no verdict"

out = Console(highlight=False)
progress_out = Console(stderr=True)


@dataclass
class Result:
    """What became of one set."""

    known: KnownSet
    verdicts: dict[int, pb.Verdict] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""

    def disagreements(self) -> list[tuple[Known, str]]:
        """Items without a verdict count as disagreements."""
        found = []
        for place, known in enumerate(self.known.items):
            verdict = self.verdicts.get(place)
            got = difference(known.expected, verdict) if verdict else NO_VERDICT
            if got is not None:
                found.append((known, got))
        return found

    def agreeing(self) -> int:
        return len(self.known.items) - len(self.disagreements())


def main(
    data: Annotated[
        Path | None,
        typer.Option(
            envvar="TOUCHSTONE_DATA",
            help="Data folder with real outputs. Default: ../shared/data beside the repository.",
        ),
    ] = None,
    address: Annotated[
        str, typer.Option(help="host:port of a server. Default: one of its own, for this run.")
    ] = "",
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most this many items of each real set.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder to write each set's verdicts to, as JSON Lines.")
    ] = None,
) -> None:
    """Verify real work with known verdicts; print agreement and rate."""
    sets = [own_items(), *(thinned(known, limit) for known in real_sets(data))]
    with server(address) as reached, VerifierClient(reached) as client:
        results = [verify(client, known) for known in sets]
    print_table(results)
    explanations = json.loads(EXPLANATIONS.read_text(encoding="utf-8"))
    for result in results:
        print_disagreements(result, explanations)
    if output is not None:
        write_verdicts(results, output)
    figures = summary(results, explanations)
    out.print(
        f"\nPassed means: every item has a verdict, {OWN_AGREEMENT:.0%} of our own items agree, "
        f"and at least {REAL_AGREEMENT:.0%} of the real ones.",
        soft_wrap=True,
    )
    print(json.dumps(figures), flush=True)
    raise typer.Exit(0 if figures["passed"] else 1)


def own_items() -> KnownSet:
    """The items of demo.jsonl. A line that does not parse is a fault of ours: it raises."""
    items = []
    with OWN_ITEMS.open("rb") as lines:
        for item in jsonl.read_items(lines):
            if isinstance(item, jsonl.BadLine):
                raise ValueError(f"{OWN_ITEMS.name}: {item.message}")
            items.append(Known(item, expectation(item.meta)))
    return KnownSet(OWN_NAME, items)


def real_sets(data: Path | None) -> Iterator[KnownSet]:
    """The sets of the data folder; says so when there are none."""
    folder = data or BESIDE_THE_REPOSITORY
    if not folder.is_dir():
        absent = "no data folder is at hand (TOUCHSTONE_DATA names one)"
        named = f"{folder} is not a folder" if data else absent
        out.print(f"[yellow]Real outputs are left out: {escape(named)}.[/]", soft_wrap=True)
        return
    for found in real_data.load(folder):
        if isinstance(found, str):
            out.print(f"[yellow]{escape(found)}.[/]", soft_wrap=True)
            continue
        for reason, count in found.left_out.items():
            line = f"{escape(found.name)}: {count:,} rows left out ({escape(reason)})."
            out.print(line, soft_wrap=True)
        yield found


def thinned(known: KnownSet, limit: int | None) -> KnownSet:
    """At most `limit` items, evenly spread over the set."""
    count = len(known.items)
    if limit is None or count <= limit:
        return known
    kept = [known.items[place * count // limit] for place in range(limit)]
    return KnownSet(known.name, kept, known.left_out)


@contextlib.contextmanager
def server(address: str) -> Iterator[str]:
    """The address of the server to use; an own one lives as long as the block."""
    if address:
        yield address
        return
    with EmbeddedServer("--log-level", "warning") as embedded:
        yield embedded.address


def verify(client: VerifierClient, known: KnownSet) -> Result:
    """Verifies one set. A call that fails keeps the verdicts that came before."""
    result = Result(known)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    started = time.perf_counter()
    with Progress(*columns, TimeElapsedColumn(), console=progress_out) as progress:
        bar = progress.add_task(known.name, total=len(known.items))
        try:
            for place, verdict in client.stream([entry.item for entry in known.items]):
                result.verdicts[place] = verdict
                progress.advance(bar)
        except ServiceError as error:
            result.error = str(error)
    result.seconds = time.perf_counter() - started
    return result


def print_table(results: list[Result]) -> None:
    table = Table(title="Verdicts beside the known ones", title_justify="left")
    table.add_column("set", no_wrap=True)
    for heading in ("items", "agree", "differ", "agreement", "items/s", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for result in results:
        items, agreeing = len(result.known.items), result.agreeing()
        table.add_row(
            escape(result.known.name),
            f"{items:,}",
            f"{agreeing:,}",
            f"{items - agreeing:,}",
            f"{100 * share(agreeing, items):.2f} %",
            f"{share(len(result.verdicts), result.seconds):,.0f}",
            f"{result.seconds:.1f}",
        )
    out.print(table)


def print_disagreements(result: Result, explanations: dict[str, str]) -> None:
    if result.error:
        out.print(f"[red]{escape(result.known.name)}: {escape(result.error)}[/]")
    missing = len(result.known.items) - len(result.verdicts)
    if missing:
        out.print(f"[red]{escape(result.known.name)}: {missing:,} items got no verdict.[/]")
    found = [(known, got) for known, got in result.disagreements() if got != NO_VERDICT]
    if found:
        out.print(f"\n[bold]Disagreements in {escape(result.known.name)}[/]")
    for known, got in found:
        name = known.item.id
        why = explanations.get(name, "not explained yet")
        out.print(
            f"{escape(name)}\n  expected {escape(str(known.expected))}; got {escape(got)}\n"
            f"  {escape(why)}",
            soft_wrap=True,
        )


def write_verdicts(results: list[Result], folder: Path) -> None:
    """One file for each set, in the order of its items."""
    folder.mkdir(parents=True, exist_ok=True)
    for result in results:
        name = re.sub(r"\W+", "_", result.known.name).strip("_").lower()
        with (folder / f"{name}.jsonl").open("wb") as file:
            jsonl.write_verdicts(
                (result.verdicts[place] for place in sorted(result.verdicts)), file
            )


def summary(results: list[Result], explanations: dict[str, str]) -> dict[str, object]:
    """The figures of the last line."""
    own = [result for result in results if result.known.name == OWN_NAME]
    real = [result for result in results if result.known.name != OWN_NAME]
    items = sum(len(result.known.items) for result in results)
    verdicts = sum(len(result.verdicts) for result in results)
    seconds = sum(result.seconds for result in results)
    own_agreement, real_agreement = agreement(own), agreement(real)
    disagreements = [entry for result in results for entry in result.disagreements()]
    return {
        "passed": verdicts == items
        and own_agreement == OWN_AGREEMENT
        and (real_agreement is None or real_agreement >= REAL_AGREEMENT),
        "items": items,
        "verdicts": verdicts,
        "own_items": sum(len(result.known.items) for result in own),
        "own_agreement": own_agreement,
        "real_items": sum(len(result.known.items) for result in real),
        "real_agreement": real_agreement,
        "disagreements": len(disagreements),
        "unexplained": sum(known.item.id not in explanations for known, _ in disagreements),
        "items_per_second": round(share(verdicts, seconds), 1),
        "seconds": round(seconds, 2),
    }


def agreement(results: list[Result]) -> float | None:
    """Share of agreeing items; None when there are none."""
    items = sum(len(result.known.items) for result in results)
    return sum(result.agreeing() for result in results) / items if items else None


def share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


if __name__ == "__main__":
    typer.run(main)
