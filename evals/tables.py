"""Tables of figures: for a terminal, Markdown, LaTeX, and results as leaderboards read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from evals.benchmark import BenchmarkError

if TYPE_CHECKING:
    from evals.statistics import Estimate
    from evals.summary import Summary

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


@dataclass(frozen=True)
class Grid:
    """Cells as text. The first column is left-aligned, the others right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    """Sentences that belong below."""

    def rich(self) -> Table:
        """For a terminal; nothing in a cell is markup."""
        caption = Text("\n".join(self.notes)) if self.notes else None
        table = Table(box=box.SIMPLE_HEAD, caption=caption, caption_justify="left")
        for at, column in enumerate(self.columns):
            table.add_column(Text(column), justify="right" if at else "left")
        for row in self.rows:
            table.add_row(*map(Text, row))
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
            " & ".join(cell.translate(_LATEX) for cell in row) + r" \\"
            for row in (self.columns, *self.rows)
        )
        body = [r"\toprule", head, r"\midrule", *rows, r"\bottomrule", r"\end{tabular}"]
        notes = [f"% {line}" for note in self.notes for line in note.splitlines()]
        begin = rf"\begin{{tabular}}{{l{'r' * (len(self.columns) - 1)}}}"
        return "\n".join([begin, *body, *notes]) + "\n"


def summaries(runs: Sequence[Summary]) -> Grid:
    """One row for each: its headline with the interval, and what is behind it."""
    rows = []
    for one in runs:
        shares = one.shares
        rows.append(
            (
                one.title,
                one.model,
                f"{one.questions} x {one.k}",
                one.headline.name,
                with_error(one.headline),
                interval(one.headline),
                _last("pass", one.pass_at_k),
                _last("cons", one.cons_at_k),
                percent(shares.truncated),
                percent(shares.no_answer),
                percent(shares.unscored),
                "–".join(number(bound) for bound in one.bounds),
            )
        )
    columns = ("benchmark", "model", "samples", "figure", "value", "95 %", "pass@k", "cons@k")
    shares_of = ("truncated", "no answer", "no score", "bounds")
    notes = tuple(f"{one.title}: {note}" for one in runs for note in one.notes)
    return Grid((*columns, *shares_of), tuple(rows), notes)


def leaderboard(runs: Sequence[Summary]) -> dict[str, Any]:
    """Runs of one model in the layout of lm-evaluation-harness' result files, which leaderboards
    read: `results` by task, each figure with its `_stderr`. Raises BenchmarkError for two models."""
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


def _last(name: str, curve: Mapping[int, float]) -> str:
    if not curve:
        return "–"
    k = max(curve)
    return f"{name}@{k} {number(curve[k])}"


def _markdown(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
