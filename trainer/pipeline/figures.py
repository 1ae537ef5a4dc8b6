"""What samples come to: means with their errors, rows of the stage table, and the table in words.
Pure.

Invariants: a sample without a reward is counted as failed and enters no other mean; samples of one
problem are not independent, and the standard errors know it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import TypeAdapter

MIXED_BELOW = 0.9
"""A chain of thought with less than this share of its words in the prompt's language is mixed: the
default of the verifier's part `readability`, which the rejection sampling filters by."""

FIXED = (
    "reasoning", "general", "format", "language", "mixed", "length", "cut_off", "failed",
)  # fmt: skip
"""Columns whatever the domains are, none of which can be called so."""


@dataclass(frozen=True)
class Sample:
    """What is counted of one response."""

    problem: str
    tokens: int
    cut_off: bool
    """It ended at the longest length."""
    score: float | None = None
    """Of the task's own part: 1 or 0 by rules, between them by a judge. None: no reward."""
    format: float | None = None
    language: float | None = None
    """Share of the thought's words that are in the prompt's language; None: it has no words."""


@dataclass(frozen=True)
class Estimate:
    """A mean over samples."""

    mean: float
    stderr: float | None
    """Clustered by problem; None for a single problem."""
    problems: int
    samples: int


@dataclass(frozen=True)
class Row:
    """One model's."""

    name: str
    domains: Mapping[str, Estimate | None]
    """The score in each domain, by its name; None where no sample had a reward."""
    reasoning: Estimate | None
    """The mean over the domains that rules decide."""
    general: Estimate | None
    """The mean over those that a judge decides."""
    format: Estimate | None
    language: Estimate | None
    """Over thoughts with words. As format, mixed and length over the reasoning domains' samples."""
    mixed: Estimate | None
    """Share of thoughts with less than MIXED_BELOW of their words in the prompt's language."""
    length: Estimate | None
    """Tokens."""
    cut_off: Estimate | None
    """Share that ended at the longest length."""
    failed: Estimate | None
    """Share without a reward, over all domains."""


@dataclass(frozen=True)
class Table:
    """The stage table: who did how well at what."""

    rows: Sequence[Row]
    reasoning: Sequence[str]
    """Domains, in their order."""
    general: Sequence[str] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    """How it was sampled."""


def estimate(values: Iterable[tuple[str, float]]) -> Estimate | None:
    """The mean of values that come with their problem; None of none.

    The standard error is the one of a mean of clusters, sqrt(C/(C-1) sum_c (sum_i x_i - mean)^2) /
    N over C problems and N samples: of the problems' means, where all have as many samples.
    """
    by_problem: dict[str, list[float]] = {}
    for problem, value in values:
        by_problem.setdefault(problem, []).append(value)
    count = sum(map(len, by_problem.values()))
    if not count:
        return None
    mean = math.fsum(x for xs in by_problem.values() for x in xs) / count
    stderr = None
    if (clusters := len(by_problem)) > 1:
        residuals = (math.fsum(x - mean for x in xs) ** 2 for xs in by_problem.values())
        stderr = math.sqrt(clusters / (clusters - 1) * math.fsum(residuals)) / count
    return Estimate(mean, stderr, clusters, count)


def together(parts: Iterable[Estimate | None]) -> Estimate | None:
    """The mean of independent means, each of the same weight; None if one is missing."""
    held = list(parts)
    known = [one for one in held if one is not None]
    if not held or len(known) < len(held):
        return None
    errors = [one.stderr for one in known if one.stderr is not None]
    whole = math.sqrt(math.fsum(error**2 for error in errors)) / len(known)
    return Estimate(
        math.fsum(one.mean for one in known) / len(known),
        whole if len(errors) == len(known) else None,
        sum(one.problems for one in known),
        sum(one.samples for one in known),
    )


def row(
    name: str,
    reasoning: Mapping[str, Sequence[Sample]],
    general: Mapping[str, Sequence[Sample]],
) -> Row:
    """One model's row, of its samples by domain."""
    domains = {
        domain: estimate((s.problem, s.score) for s in samples if s.score is not None)
        for domain, samples in {**reasoning, **general}.items()
    }
    # Problems of two files may have the same id.
    named = [(f"{domain}/{s.problem}", s) for domain, many in reasoning.items() for s in many]
    others = [(f"{domain}/{s.problem}", s) for domain, many in general.items() for s in many]
    counted = [(problem, s) for problem, s in named if s.score is not None]
    spoken = [(problem, s.language) for problem, s in counted if s.language is not None]
    return Row(
        name,
        domains,
        reasoning=together(domains[domain] for domain in reasoning),
        general=together(domains[domain] for domain in general),
        format=estimate((problem, s.format) for problem, s in counted if s.format is not None),
        language=estimate(spoken),
        mixed=estimate((problem, float(share < MIXED_BELOW)) for problem, share in spoken),
        length=estimate((problem, float(s.tokens)) for problem, s in named),
        cut_off=estimate((problem, float(s.cut_off)) for problem, s in named),
        failed=estimate((problem, float(s.score is None)) for problem, s in [*named, *others]),
    )


# ---- as files --------------------------------------------------------------------


def as_json(table: Table) -> dict[str, Any]:
    """What table.json holds."""
    return asdict(table)


def from_json(value: object) -> Table:
    """Raises ValueError for what is no table."""
    return TypeAdapter(Table).validate_python(value)


# ---- in words --------------------------------------------------------------------


def columns(table: Table) -> list[str]:
    """All that have a value in some row, in their order."""
    named = list[str]()
    for domains, mean in ((table.reasoning, "reasoning"), (table.general, "general")):
        named += [*domains, mean] if len(domains) > 1 else domains
    named += [name for name in FIXED if name not in named and name not in ("reasoning", "general")]
    return [name for name in named if any(value(row, name) for row in table.rows)]


def value(row: Row, column: str) -> Estimate | None:
    """A row's value in a column of `columns`."""
    if column in FIXED:
        found: Estimate | None = getattr(row, column)
        return found
    return row.domains.get(column)


def markdown(table: Table) -> str:
    """The table as Markdown: shares in per cent, each with its standard error."""
    names = columns(table)
    return _lines(names, [(r.name, [told(value(r, n), n) for n in names]) for r in table.rows])


def markdown_of_seeds(tables: Sequence[Table]) -> str:
    """The same over several seeds: the mean, and the range from least to most. Rows and columns are
    those that all have."""
    if len(tables) == 1:
        return markdown(tables[0])
    names = [n for n in columns(tables[0]) if all(n in columns(table) for table in tables)]
    rows = []
    for first in tables[0].rows:
        same = [[r for r in table.rows if r.name == first.name] for table in tables]
        if all(same):
            cells = [_range([value(found[0], n) for found in same], n) for n in names]
            rows.append((first.name, cells))
    return _lines(names, rows)


def _lines(names: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    lines = [
        ["", *map(head, names)],
        ["---", *["---:"] * len(names)],
        *([name, *cells] for name, cells in rows),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def head(column: str) -> str:
    """What stands above a column, with its unit."""
    units = {"length": "length, tokens", "cut_off": "cut off %"}
    return units.get(column, f"{column} %")


def told(one: Estimate | None, column: str) -> str:
    """A value with its standard error, in the column's unit."""
    if one is None:
        return "-"
    error = "" if one.stderr is None else f" ± {_number(one.stderr, column)}"
    return _number(one.mean, column) + error


def _range(held: Sequence[Estimate | None], column: str) -> str:
    means = [one.mean for one in held if one is not None]
    if len(means) < len(held):
        return "-"
    mean = math.fsum(means) / len(means)
    return f"{_number(mean, column)} ({_number(min(means), column)}–{_number(max(means), column)})"


def _number(value: float, column: str) -> str:
    return f"{value:.0f}" if column == "length" else f"{100 * value:.1f}"
