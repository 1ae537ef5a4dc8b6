"""A live line for a benchmark under way: samples, rate, time left, the score so far."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from evals.benchmark import Benchmark
from evals.records import Generation, Score

TOLD_EVERY = 10
"""Parts of the whole after which a line is printed where there is no terminal."""


class Watch:
    """Counts, and shows the counts. Use as a context manager."""

    def __init__(self, console: Console, benchmark: Benchmark, total: int) -> None:
        self._console, self._title, self._total = console, benchmark.title, total
        self._made = self._errors = self._cut = self._scored = self._unknown = 0
        self._sum, self._told = 0.0, 0
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(self._title, total=total, figures="")

    def __enter__(self) -> Watch:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def start(self, made: Iterable[Generation], scored: Iterable[Score]) -> None:
        """What was there before."""
        for generation in made:
            if generation.finish != "error":
                self._count(generation)
        for score in scored:
            self._add(score)
        self._told = self._made * TOLD_EVERY // max(1, self._total)
        self._show()

    def made(self, generation: Generation) -> None:
        """One more sample, or an error in its place."""
        self._count(generation)
        self._show()

    def scored(self, score: Score) -> None:
        """One more score."""
        self._add(score)
        self._show()

    def _count(self, generation: Generation) -> None:
        self._made += 1
        self._errors += generation.finish == "error"
        self._cut += generation.finish == "length"

    def _add(self, score: Score) -> None:
        if score.score is None:
            self._unknown += 1
        else:
            self._scored += 1
            self._sum += score.score

    @property
    def _figures(self) -> str:
        told = [f"score {self._sum / self._scored:.1%} of {self._scored}" if self._scored else ""]
        for count, what in (
            (self._cut, "cut off"),
            (self._errors, "errors"),
            (self._unknown, "not graded"),
        ):
            told.append(f"{count} {what}" if count else "")
        return ", ".join(filter(None, told))

    def _show(self) -> None:
        self._progress.update(self._task, completed=self._made, figures=self._figures)
        tenth = self._made * TOLD_EVERY // max(1, self._total)
        if not self._console.is_terminal and tenth > self._told:
            self._told = tenth
            self._console.print(
                ", ".join(
                    filter(None, (f"{self._title}: {self._made} of {self._total}", self._figures))
                ),
                highlight=False,
            )
