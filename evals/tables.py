"""Tables of figures: for a terminal, Markdown, LaTeX, and results as leaderboards read them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from evals.benchmark import BenchmarkError

if TYPE_CHECKING:
    from evals.statistics import Estimate
    from evals.summary import Shares, Summary

_LATEX = str.maketrans(
    {
        **{char: f"\\{char}" for char in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "±": r"$\pm$",
        "–": "--",
    }
)

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of Unicode."""

FURTHER = 10
"""Figures of a benchmark beside its headline in a table; some have dozens, which drown the rest."""


@dataclass(frozen=True)
class Grid:
    """Cells as text. The first column is left-aligned, the others right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    """Sentences that belong below."""

    def rich(self) -> Table:
        """For a terminal; nothing in a cell is markup."""
        caption = Text("\n".join(map(plain, self.notes))) if self.notes else None
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption=caption, caption_justify="left")
        for at, column in enumerate(self.columns):
            justify: JustifyMethod = "right" if at else "left"
            table.add_column(Text(plain(column)), justify=justify, overflow="fold")
        for row in self.rows:
            table.add_row(*(Text(plain(cell)) for cell in row))
        return table

    def markdown(self) -> str:
        """GitHub's tables."""
        rule = ["---", *["---:"] * (len(self.columns) - 1)]
        lines = [" | ".join(map(_markdown, row)) for row in (self.columns, *self.rows)]
        lines.insert(1, " | ".join(rule))
        lines = [f"| {line} |" for line in lines]
        return "\n".join([*lines, *(f"\n{_markdown(note)}" for note in self.notes)]) + "\n"

    def latex(self) -> str:
        """A tabular of the package booktabs."""
        head, *rows = (
            " & ".join(plain(cell).translate(_LATEX) for cell in row) + r" \\"
            for row in (self.columns, *self.rows)
        )
        body = [r"\toprule", head, r"\midrule", *rows, r"\bottomrule", r"\end{tabular}"]
        notes = [f"% {plain(note)}" for note in self.notes]
        begin = rf"\begin{{tabular}}{{l{'r' * (len(self.columns) - 1)}}}"
        return "\n".join([begin, *body, *notes]) + "\n"


def summaries(runs: Sequence[Summary]) -> Grid:
    """For each run its headline with all that puts it in doubt, then its further figures.

    Shares are of all samples that there should be, those that are 0 left out; bounds are of pass@1.
    """
    rows, notes = list[tuple[str, ...]](), list[str]()
    several = len({one.model for one in runs}) > 1
    for one in runs:
        name = f"{one.title}, {one.model}" if several else one.title
        others = [each for each in one.metrics if each != one.headline.name]
        bounds = "–".join(number(bound) for bound in one.bounds)
        first = _figure(one.headline.name, one.headline)
        rows.append((name, f"{one.questions} x {one.k}", *first, bounds, _shares(one.shares)))
        rows += [("", "", *_figure(each, one.metrics[each]), "", "") for each in others[:FURTHER]]
        notes += [f"{name}: {note}" for note in one.notes]
        if len(others) > FURTHER:
            notes.append(f"{name}: {len(others) - FURTHER} more figures are in its summary.json")
    columns = ("benchmark", "samples", "figure", "value", "95 %", "bounds", "shares")
    return Grid(columns, tuple(rows), tuple(notes))


def _figure(name: str, figure: Estimate) -> tuple[str, str, str]:
    return name, with_error(figure), interval(figure)


def _shares(shares: Shares) -> str:
    told = [f"{name.replace('_', ' ')} {percent(s)}" for name, s in asdict(shares).items() if s]
    return ", ".join(told) or "all graded"


def leaderboard(runs: Sequence[Summary]) -> dict[str, Any]:
    """Runs of one model in the layout of lm-evaluation-harness' result files, which leaderboards
    read: `results` by task, each figure with its `_stderr`. Raises BenchmarkError for two models,
    or none."""
    models = sorted({one.model for one in runs})
    if len(models) != 1:
        raise BenchmarkError(
            f"a leaderboard's file is of one model, got {', '.join(models) or 'none'}"
        )
    return {
        "model_name": models[0],
        "results": {one.benchmark: {"alias": one.title, **_figures(one)} for one in runs},
        "n-samples": {
            one.benchmark: {"original": one.questions, "effective": one.questions} for one in runs
        },
        "configs": {
            one.benchmark: {
                "repeats": one.k,
                "generation_kwargs": dict(one.protocol),
                "shares": asdict(one.shares),
                "bounds": list(one.bounds),
            }
            for one in runs
        },
    }


def _figures(one: Summary) -> dict[str, float | None]:
    told: dict[str, float | None] = {}
    for name, estimate in one.metrics.items():
        told |= {f"{name},none": estimate.value, f"{name}_stderr,none": estimate.se}
    return told


def number(value: float | None) -> str:
    """A share in percent; what is no share as it is; – for None."""
    if value is None:
        return "–"
    return percent(value) if abs(value) <= 1 else f"{value:.1f}"


def percent(value: float) -> str:
    return f"{100 * value:.1f}"


def with_error(figure: Estimate) -> str:
    """Value ± standard error."""
    told = number(figure.value)
    if figure.value is None or figure.se is None:
        return told
    scale = 100 if abs(figure.value) <= 1 else 1
    return f"{told} ± {scale * figure.se:.1f}"


def interval(figure: Estimate) -> str:
    if figure.value is None or figure.low is None or figure.high is None:
        return "–"
    scale = 100 if abs(figure.value) <= 1 else 1
    return f"[{scale * figure.low:.1f}, {scale * figure.high:.1f}]"


def plain(cell: str) -> str:
    """On one line, and with signs for what is not seen or changes the order of what is: names come
    from endpoints and from other people's data."""
    return "".join(
        one
        if unicodedata.category(one) not in _HIDDEN
        else " "
        if one in "\n\r\t"
        else ascii(one)[1:-1]
        for one in cell
    )


def _markdown(cell: str) -> str:
    told = plain(cell).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
    return told.replace("](", "]\\(")
