"""`touchstone top` as tables in a terminal, or as lines."""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict
from datetime import datetime

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from verifier.terminal import errors, printable
from verifier.top import Lane, Look, NoAnswer, Task, View, scrape, view

SHOWN = 8
"""Callers, reasons and limits in one line; the largest come first."""


def show(address: str, interval: float, once: bool, as_json: bool) -> None:
    """Looks at a server, once or until interrupted. Raises NoAnswer where none is there."""
    console = Console()
    before = scrape(address)
    time.sleep(interval)
    looks = before, scrape(address)
    if as_json or once or not console.is_terminal:
        _print(console, address, looks, interval, once, as_json)
    else:
        _watch(console, address, looks, interval)


def _print(
    console: Console,
    address: str,
    looks: tuple[Look, Look],
    interval: float,
    once: bool,
    as_json: bool,
) -> None:
    before, now = looks
    while True:
        seen = view(before, now)
        if as_json:
            print(json.dumps(asdict(seen), allow_nan=False), flush=True)
        else:
            console.print(drawn(address, seen, datetime.now()))
        if once:
            return
        time.sleep(interval)
        try:
            before, now = now, scrape(address)
        except NoAnswer as error:
            # A server that is started again is waited for.
            errors.print(f"touchstone: {printable(str(error))}", style="red", markup=False)


def _watch(console: Console, address: str, looks: tuple[Look, Look], interval: float) -> None:
    before, now = looks
    first = drawn(address, view(before, now), datetime.now())
    with Live(first, console=console, screen=True, auto_refresh=False) as live:
        shown: RenderableType = first
        while True:
            time.sleep(interval)
            try:
                before, now = now, scrape(address)
                shown = drawn(address, view(before, now), datetime.now())
                live.update(shown, refresh=True)
            except NoAnswer as error:
                gone = Text(printable(str(error)), style="red")
                live.update(Group(gone, shown), refresh=True)


def drawn(address: str, seen: View, now: datetime) -> RenderableType:
    """A view as tables."""
    head = Text.assemble(
        ("touchstone ", "bold"),
        f"{printable(address)}  {now:%H:%M:%S}  ",
        (f"{_number(seen.rate)} verdicts/s", "bold"),
        f"  over {seen.seconds:.1f} s",
    )
    return Group(head, _tasks(seen.tasks), _lanes(seen.lanes), *_lines(seen))


def _tasks(tasks: dict[str, Task]) -> Table:
    table = Table(expand=True, box=box.SIMPLE_HEAD)
    table.add_column("task")
    for name in ("per s", "p50", "p99", "OK", "other statuses", "unread", "cache", "flat groups"):
        table.add_column(name, justify="left" if name == "other statuses" else "right")
    for name, task in tasks.items():
        others = {key: share for key, share in task.statuses.items() if key != "OK"}
        table.add_row(
            printable(name),
            _number(task.rate),
            _seconds(task.p50_seconds),
            _seconds(task.p99_seconds),
            _share(task.statuses.get("OK", 0.0) if task.statuses else None),
            Text(", ".join(f"{printable(key)} {_share(share)}" for key, share in others.items())),
            _share(task.unread if task.statuses else None),
            _share(task.hits),
            _share(task.flat),
        )
    return table


def _lanes(lanes: dict[str, Lane]) -> Table:
    table = Table(expand=True, box=box.SIMPLE_HEAD)
    table.add_column("queue")
    for name in ("waiting", "at work", "oldest", "p99 wait"):
        table.add_column(name, justify="right")
    for name, lane in lanes.items():
        table.add_row(
            printable(name),
            str(lane.waiting),
            str(lane.at_work),
            _seconds(lane.oldest_seconds),
            _seconds(lane.waited_p99_seconds),
        )
    return table


def _lines(seen: View) -> list[Text]:
    slots = f"{seen.slots_busy} of {seen.slots} at work, {seen.slots_waited_for} programs wait"
    if seen.occupancy is not None:
        slots += f", {_share(seen.occupancy)} of their time"
    judge = (
        f"{seen.judge_usd:.4f} USD spent, {seen.judge_usd_per_hour:.4f} USD/h, "
        f"{seen.judge_in_flight} requests out"
    )
    lines = [
        ("slots", slots),
        ("killed at limits", _many(seen.killed)),
        ("callers, items/s", _many(seen.callers)),
        ("refused calls/s", _many(seen.refused)),
        ("judge", judge),
        ("engine restarts", str(seen.restarts)),
    ]
    return [Text.assemble((f"{name:18} ", "bold"), value) for name, value in lines]


def _many(rates: dict[str, float]) -> str:
    shown = [f"{printable(name)} {_number(rate)}" for name, rate in list(rates.items())[:SHOWN]]
    more = len(rates) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "") if shown else "none"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _seconds(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "-"
    return f"{1000 * value:.3g} ms" if value < 1 else f"{value:.3g} s"


def _share(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{100 * value:.1f} %"
