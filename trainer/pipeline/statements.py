"""What DeepSeek-R1's paper says of its stages, looked for in stage tables. Pure.

Each statement compares one quantity of two rows, as the paper's table of stages and what it says of
it do (arXiv 2501.12948v2, section 3): the direction is looked for, not the paper's own figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from trainer.pipeline.figures import Table

KEPT_WITHIN = 0.03
"""Reasoning is kept where it falls by no more than this: the paper's falls of Dev3 against Dev2 (of
MATH-500 from 95.9 to 95.4) and rises lie within it."""


@dataclass(frozen=True)
class Statement:
    """`left` has at least, or more, of something than `right`."""

    says: str
    left: str
    """A row's name; case does not count."""
    right: str
    quantity: str
    """A field of Row."""
    strictly: bool = True
    slack: float = 0.0
    """What `left` may be below `right`."""

    def holds(self, left: float, right: float) -> bool:
        """Whether these two values are as it says."""
        return left > right - self.slack if self.strictly else left >= right - self.slack


STATEMENTS = (
    Statement("cold start lowers language mixing", "Dev1", "Zero", "language"),
    Statement(
        "the language reward keeps or raises consistency", "Dev2", "Dev1", "language",
        strictly=False,
    ),
    Statement("reasoning RL wins reasoning back after the cold start", "Dev2", "Dev1", "reasoning"),
    Statement(
        "fine-tuning on the curated set keeps the reasoning", "Dev3", "Dev2", "reasoning",
        strictly=False, slack=KEPT_WITHIN,
    ),
    Statement("fine-tuning on the curated set raises general scores", "Dev3", "Dev2", "general"),
    Statement("all-scenario RL raises general scores", "R1", "Dev3", "general"),
    Statement("distillation beats RL on the small model", "Distilled", "Control", "reasoning"),
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """A statement beside the numbers of each seed."""

    statement: Statement
    values: Sequence[tuple[float, float] | None]
    """(left, right) of each table; None where a row or its value is missing."""

    @property
    def known(self) -> list[tuple[float, float]]:
        """Of the tables that have both."""
        return [pair for pair in self.values if pair is not None]

    @property
    def seeds(self) -> int:
        """In how many tables it holds."""
        return sum(self.statement.holds(*pair) for pair in self.known)

    @property
    def came_out(self) -> bool | None:
        """Whether it holds in the mean over all tables; None where one cannot tell."""
        known = self.known
        if not known or len(known) < len(self.values):
            return None
        left, right = (sum(pair[side] for pair in known) / len(known) for side in (0, 1))
        return self.statement.holds(left, right)


def check(tables: Sequence[Table]) -> list[Outcome]:
    """All statements against the tables of one or more seeds."""
    return [Outcome(one, [_pair(one, table) for table in tables]) for one in STATEMENTS]


def _pair(statement: Statement, table: Table) -> tuple[float, float] | None:
    rows = {row.name.casefold(): row for row in table.rows}
    left, right = (
        getattr(rows.get(name.casefold()), statement.quantity, None)
        for name in (statement.left, statement.right)
    )
    return None if left is None or right is None else (left.mean, right.mean)


def rows(outcomes: Iterable[Outcome]) -> Iterator[tuple[str, str, str, str]]:
    """Of each statement: what it says, whether it came out, in how many seeds, and the two numbers
    of each seed, in per cent."""
    verdicts = {True: "came out", False: "did not", None: "cannot be told"}
    for one in outcomes:
        told = one.statement
        slack = f" - {100 * told.slack:g}" if told.slack else ""
        sign = ">" if told.strictly else "≥"
        pairs = [
            "-" if pair is None else f"{100 * pair[0]:.1f} {sign} {100 * pair[1]:.1f}{slack}"
            for pair in one.values
        ]
        says = f"{told.says}: {told.quantity}, {told.left} {sign} {told.right}{slack}"
        seeds = f"{one.seeds} of {len(one.values)}"
        yield says, verdicts[one.came_out], seeds, "; ".join(pairs)


def markdown(outcomes: Iterable[Outcome]) -> str:
    """The same as a table."""
    lines = [("statement", "", "seeds", "of each"), ("---",) * 4, *rows(outcomes)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
