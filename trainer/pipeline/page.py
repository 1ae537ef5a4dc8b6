"""One page that draws the stages, where they stand, and what they counted.

It is one file that needs no network. What stands in it of models' outputs is hostile: the template
escapes all texts, the curves' numbers stand in a block of JSON that no parser takes for markup, and
the page's policy admits no other script. A directory may be in any state: what cannot be read is
left out, and the page says so. The limits below bound its size: some kilobytes for each stage, 20
examples at most of about a thousand characters each, and four megabytes of plotly.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined
from plotly.offline import get_plotlyjs

from trainer.log import RunError, flat, read_metrics, visible
from trainer.pipeline import figures, statements
from trainer.pipeline.stage import MODEL
from trainer.report import admitted, curve, inert

if TYPE_CHECKING:
    from trainer.pipeline.run import Standing

NAME = "pipeline.html"

EXAMPLES, EXAMPLES_OF_A_REASON = 20, 3
"""Rejected samples shown of a stage."""
EXAMPLE_CHARS = 600
"""Of each of an example's texts: its beginning."""
ROWS = 200
"""Figures, and values of the configuration, of a stage."""
POINTS = 300
"""Of a curve: as many as a small plot has pixels. Beyond, neighbours are averaged."""
SHORT_HASH = 12
"""Digits of a hash: two that differ at all differ in these."""

# Of the drawing, in pixels.
BOX_WIDTH, BOX_HEIGHT, COLUMN, LINE, EDGE = 132, 56, 168, 76, 12
ARC = 9
"""How far an arrow over several columns rises above the boxes between, for each of them."""

# Title, metrics, whether they are shares.
_CHARTS = (
    ("Held-out problems", r"eval/(pass@1|majority@\d+|accuracy)", True),
    ("Parts of the reward", r"reward/part/.*", False),
    ("Length, tokens", r"length/mean|eval/length", False),
    ("Words", r"(eval/)?text/.*", True),
    ("Loss", r"(train|eval)/loss", False),
)


@dataclass(frozen=True)
class Box:
    """A stage in the drawing."""

    name: str
    state: str
    note: str
    given: str
    """Models that it takes and no stage makes."""
    x: int
    y: int


@dataclass(frozen=True)
class Arrow:
    path: str
    """A curve, as SVG has it."""
    aside: bool
    """To a stage that only looks at models, of which there are many."""


@dataclass(frozen=True)
class Drawing:
    """Boxes, and the arrows between them."""

    width: int
    height: int
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]


def render(directory: Path, stages: Sequence[Standing]) -> str:
    """The page, of HTML in UTF-8. Raises RunError only for files that vanish while it reads."""
    cards = [_card(directory / one.name, one) for one in stages]
    style = resources.files("trainer").joinpath("report.css").read_text("utf-8")
    own, script, page = (
        resources.files("trainer.pipeline").joinpath(f"page.{kind}").read_text("utf-8")
        for kind in ("css", "js", "html")
    )
    charts = [chart for card in cards for chart in card["charts"]]
    plotly = get_plotlyjs() if charts else ""
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(page).render(
        title=visible(directory.resolve().name),
        hashes=admitted(plotly, script),
        style=style + own,
        plotly=plotly,
        script=script,
        data=inert(charts),
        drawing=draw(stages),
        cards=cards,
        complete=sum(card["state"] == "complete" for card in cards),
        seconds=duration(sum((one.timing or {}).get("seconds", 0.0) for one in stages)),
    )


# ---- the drawing -----------------------------------------------------------------


def draw(stages: Sequence[Standing]) -> Drawing:
    """Stages from left to right, each behind all that it is made from. Pure."""
    before = {one.name: dict.fromkeys(one.stage.references().values()) for one in stages}
    column = dict[str, int]()
    for name, references in before.items():  # in their order, in which each refers to earlier ones
        column[name] = max((column[ref] + 1 for ref in references if ref in column), default=0)
    spans = [column[name] - column[ref] for name in column for ref in before[name] if ref in column]
    top = EDGE + ARC * max(spans, default=0)
    filled = dict[int, int]()
    boxes = dict[str, Box]()
    for one in stages:
        place = column[one.name]
        line = filled[place] = filled.get(place, -1) + 1
        seconds = (one.timing or {}).get("seconds")
        note = one.stage.kind if seconds is None else f"{one.stage.kind} · {duration(seconds)}"
        given = [
            Path(reference).name
            for name, reference in one.stage.references().items()
            if reference not in column and one.stage.wants(name) == MODEL
        ]
        x, y = EDGE + place * COLUMN, top + line * LINE
        boxes[one.name] = Box(
            one.name, one.state, note, visible(", ".join(dict.fromkeys(given))), x, y
        )
    return Drawing(
        width=2 * EDGE + max(column.values(), default=0) * COLUMN + BOX_WIDTH,
        height=top + EDGE + max(filled.values(), default=0) * LINE + BOX_HEIGHT,
        boxes=tuple(boxes.values()),
        arrows=[
            Arrow(_curve(boxes[ref], boxes[one.name]), one.stage.kind == "table")
            for one in stages
            for ref in before[one.name]
            if ref in column
        ],
    )


def _curve(start: Box, end: Box) -> str:
    """From a box's right side to another's left one, above what is between."""
    x, y = start.x + BOX_WIDTH, start.y + BOX_HEIGHT // 2
    to_x, to_y = end.x - 7, end.y + BOX_HEIGHT // 2
    span = (end.x - start.x) // COLUMN
    if span == 1:
        bend = (to_x - x) // 2
        return f"M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"
    bend, middle = COLUMN // 3, (x + to_x) // 2
    over = min(y, to_y) - BOX_HEIGHT // 2 - ARC * span
    return (
        f"M{x} {y}C{x + bend} {over} {x + bend} {over} {middle} {over}"
        f"S{to_x - bend} {over} {to_x} {to_y}"
    )


# ---- a stage ---------------------------------------------------------------------


def _card(directory: Path, one: Standing) -> dict[str, Any]:
    """What page.html shows of a stage."""
    notes = list[str]()  # what could not be read
    timing = one.timing or {}
    sources = one.manifest.made.inputs if one.manifest is not None else {}
    outputs = one.manifest.outputs if one.manifest is not None else {}
    counted = one.manifest.figures if one.manifest is not None else {}
    table = None
    if one.stage.kind == "table" and counted:
        table, counted = _table(counted, notes), {}
    if not counted:
        with _noting("counts.json", notes):
            found = json.loads((directory / "counts.json").read_text("utf-8"))
            counted = found if isinstance(found, dict) else {}
    has_page = (directory / "run/report.html").is_file()
    return {
        "name": one.name,
        "kind": one.stage.kind,
        "state": one.state,
        "seconds": duration(timing["seconds"]) if "seconds" in timing else "",
        "why": [visible(line) for line in one.why.splitlines()][:ROWS],
        "inputs": [
            (name, visible(ref), sources[name].sha256[:SHORT_HASH] if name in sources else "")
            for name, ref in one.stage.references().items()
        ],
        "outputs": [(name, sha256[:SHORT_HASH]) for name, sha256 in outputs.items()],
        "timing": _rows(timing, notes),
        "counts": _rows(counted, notes),
        "config": _rows(one.stage.model_dump(mode="json"), notes),
        "examples": _examples(directory / "rejected.jsonl", notes),
        "charts": _charts(directory / "run", notes),
        "report": f"{one.name}/run/report.html" if has_page else "",
        "table": table,
        "notes": notes,
    }


@contextmanager
def _noting(name: str, notes: list[str]) -> Iterator[None]:
    """A file that is not there is left out; so is one that cannot be read, and a note says so."""
    try:
        yield
    except FileNotFoundError:
        pass
    except (OSError, ValueError, RecursionError) as error:
        notes.append(f"{name}: {error}")


def _rows(values: Mapping[str, Any], notes: list[str]) -> list[tuple[str, str]]:
    """A table of tables as rows of dotted keys."""
    found = [(visible(key), _told(value)) for key, value in flat(values).items() if key]
    if len(found) > ROWS:
        notes.append(f"{len(found) - ROWS} of {len(found)} values are not shown")
    return found[:ROWS]


def _told(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "–"}[value]
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    return _cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    left_out = len(text) - EXAMPLE_CHARS
    more = f" [... {left_out:,} characters more]" if left_out > 0 else ""
    return visible(text[:EXAMPLE_CHARS]) + more


def _examples(path: Path, notes: list[str]) -> list[list[tuple[str, str]]]:
    """Some rejected samples of each reason."""
    found, of_reason = list[list[tuple[str, str]]](), Counter[str]()
    with _noting(path.name, notes), path.open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if not isinstance(row, dict):
                continue
            reason = str(row.get("reason", ""))
            of_reason[reason] += 1
            if len(found) < EXAMPLES and of_reason[reason] <= EXAMPLES_OF_A_REASON:
                found.append(_rows(row, notes))
    return found


def _charts(run: Path, notes: list[str]) -> list[dict[str, Any]]:
    if not (run / "metrics.jsonl").exists():
        return []
    try:
        metrics = read_metrics(run)
    except RunError as error:
        notes.append(str(error))
        return []
    names = sorted({name for row in metrics for name in row})
    found = []
    for title, pattern, share in _CHARTS:
        chosen = [name for name in names if re.fullmatch(pattern, name)]
        own = [re.sub(r"^(eval/)?(reward/part/|text/|train/|length/)?", "", n) for n in chosen]
        series = [
            {
                "name": f"held-out {short}" if own.count(short) > 1 and "eval/" in name else short,
                **curve(metrics, name, POINTS),
            }
            for name, short in zip(chosen, own, strict=True)
        ]
        if series := [one for one in series if one["x"]]:
            found.append({"title": title, "share": share, "series": series})
    return found


def _table(value: object, notes: list[str]) -> dict[str, Any] | None:
    """The stage table as cells, and what the paper says of it."""
    try:
        table = figures.from_json(value)
    except ValueError as error:
        notes.append(f"no table: {_cut(str(error))}")
        return None
    names = figures.columns(table)
    cells = [[figures.told(figures.value(row, name), name) for name in names] for row in table.rows]
    return {
        "heads": [figures.head(name) for name in names],
        "rows": [(row.name, own) for row, own in zip(table.rows, cells, strict=True)],
        "statements": list(statements.rows(o for o in statements.check([table]) if o.known)),
        "about": ", ".join(f"{key} = {value}" for key, value in table.about.items()),
    }


def duration(seconds: float) -> str:
    """`75.0` as `1 min 15 s`."""
    whole = round(seconds)
    parts = ((whole // 3600, "h"), (whole // 60 % 60, "min"), (whole % 60, "s"))
    return " ".join([f"{n} {unit}" for n, unit in parts if n][:2]) or f"{seconds:.2g} s"
