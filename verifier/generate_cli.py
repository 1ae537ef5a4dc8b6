"""`touchstone generate-tests`: problems with solutions in, items with tests out."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from verifier.terminal import errors, fail

if TYPE_CHECKING:
    from verifier.code.generation.problem import Problem
    from verifier.code.generation.store import Store
    from verifier.code.generation.work import Report, Settings
    from verifier.judge.settings import JudgeSettings


NOT_EVERYTHING_WRITTEN = 1

TIMEOUT_SECONDS = 600.0
"""One answer: a reasoning model writes for minutes."""


def generate_tests(
    input: Annotated[Path, typer.Option(help="Problems, JSON Lines; - for standard input.")],
    output: Annotated[
        Path, typer.Option(help="Items, JSON Lines; appended to, what is in it is not done again.")
    ],
    judge: Annotated[str, typer.Option(help="Base URL of an OpenAI-compatible endpoint.")],
    model: Annotated[str, typer.Option(help="The model's name there.")],
    api_key_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds the endpoint's key.")
    ] = None,
    generators: Annotated[int, typer.Option(min=1, max=16, help="Generators asked for.")] = 3,
    tests: Annotated[int, typer.Option(min=1, max=1000, help="Tests of a problem, at most.")] = 20,
    min_tests: Annotated[
        int, typer.Option(min=1, help="A problem with fewer is reported and not written.")
    ] = 5,
    wrong: Annotated[
        int, typer.Option(min=0, max=16, help="Wrong solutions asked for where there are none.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of the model's sampling and of the generators.")] = 0,
    temperature: Annotated[float, typer.Option(min=0, help="Of the model's sampling.")] = 0.8,
    max_tokens: Annotated[
        int, typer.Option(min=1, help="Of one completion; what is cut off is not used.")
    ] = 16_384,
    allow_one: Annotated[
        bool, typer.Option(help="Take problems with a single solution, which nothing confirms.")
    ] = False,
    checker: Annotated[
        str, typer.Option(help="How outputs compare where a problem does not say. Default: tokens.")
    ] = "",
    cache: Annotated[
        Path | None,
        typer.Option(help="File of the model's answers (SQLite): reruns ask nothing twice."),
    ] = None,
    at_once: Annotated[int, typer.Option(min=1, max=256, help="Problems at work at once.")] = 8,
    sandbox: Annotated[
        str, typer.Option(help="embedded (slots of its own), or host:port of a sandbox service.")
    ] = "embedded",
    require_tier: Annotated[
        str, typer.Option(help="Refuse to start below this isolation tier: T1, T2 or T3.")
    ] = "T3",
) -> None:
    """Make tests for problems that have none; exit status 0 only if every problem got them."""
    from sandbox.client import SandboxUnavailable
    from verifier.code.generation.store import NotOurs, Store
    from verifier.code.generation.work import Settings
    from verifier.judge.settings import SettingsError, checked

    if tests < min_tests:
        fail(f"--tests: at least --min-tests, {min_tests}, got {tests}")
    if str(output) == "-" or output.resolve() == input.resolve():
        fail(f"--output: a file of its own is wanted, got {output}")
    problems, bad = _read(input, least_solutions=1 if allow_one else 2, checker=checker)
    settings = Settings(generators, tests, min_tests, wrong, seed, temperature, max_tokens)
    reports: list[Report] = []
    try:
        endpoint = {"url": judge, "model": model, "api_key_env": api_key_env or ""}
        asking = checked(
            {
                "endpoints": [endpoint],
                "timeout_seconds": TIMEOUT_SECONDS,
                "cache": {"path": "" if cache is None else str(cache)},
            }
        )
        with Store(output) as store:
            if store.repaired:
                errors.print(f"{output}: removed a half-written last line", markup=False)
            wanted = [problem for problem in problems if problem.id not in store.ids]
            work = _run(wanted, asking, settings, at_once, sandbox, require_tier, store, reports)
            try:
                asyncio.run(work)
            finally:
                # Also after Ctrl-C: what is written counts.
                _tell(reports, len(problems), len(wanted), bad)
    except SettingsError as error:
        fail(f"--judge, --model, --api-key-env or --cache: {error}")
    except (NotOurs, OSError) as error:
        fail(f"--output: {error}")
    except SandboxUnavailable as error:
        fail(f"--sandbox: {error}")
    if bad or len(reports) < len(wanted) or any(report.why for report in reports):
        raise typer.Exit(NOT_EVERYTHING_WRITTEN)


def _read(path: Path, least_solutions: int, checker: str) -> tuple[list[Problem], int]:
    """The problems, and how many lines are none; says what is wrong with those."""
    from verifier.code.generation.problem import read_problems
    from verifier.jsonl import BadLine

    try:
        lines = sys.stdin.buffer.readlines() if str(path) == "-" else path.open("rb").readlines()
    except OSError as error:
        fail(f"--input: {error}")
    read = read_problems(lines, least_solutions, checker)
    for line in read:
        if isinstance(line, BadLine):
            errors.print(line.message, style="red", markup=False, highlight=False)
    problems = [line for line in read if not isinstance(line, BadLine)]
    return problems, len(read) - len(problems)


async def _run(
    problems: Sequence[Problem],
    asking: JudgeSettings,
    settings: Settings,
    at_once: int,
    sandbox: str,
    require_tier: str,
    store: Store,
    reports: list[Report],
) -> None:
    """Works, writes, and fills `reports`."""
    from verifier import assembly
    from verifier.code.generate import generate_all
    from verifier.judge import judging
    from verifier.settings import Settings as ServerSettings

    if not problems:
        return
    async with AsyncExitStack() as stack:
        asked = await judging.start(asking)
        stack.push_async_callback(asked.close)
        opened = await assembly.start_sandbox(
            ServerSettings(sandbox=sandbox, require_tier=require_tier)
        )
        stack.push_async_callback(opened.close)
        assert asked.client is not None, "there is an endpoint"
        work = generate_all(problems, asked.client, opened, settings, at_once)
        async for report in await stack.enter_async_context(aclosing(work)):
            if report.item is not None:
                store.write(report.item)
                report.item = None  # megabytes, and no longer needed
            reports.append(report)
            style = "red" if report.why else None
            errors.print(_line(report), style=style, markup=False, highlight=False)


def _line(report: Report) -> str:
    """One problem for a person."""
    if report.why:
        return f"{report.id}: NOT WRITTEN: {report.why}"
    said = [f"{report.tests} tests of {report.valid} valid inputs ({report.inputs} generated)"]
    if report.wrong:
        caught = report.wrong - len(report.uncaught)
        said.append(f"{caught} of {report.wrong} wrong solutions caught")
    if report.uncaught:
        said.append(f"NOT CAUGHT: {', '.join(f'wrong[{n}]' for n in report.uncaught)}")
    if report.not_wrong:
        said.append(f"{report.not_wrong} of the model's wrong solutions were not wrong")
    for place, count in report.suspects.most_common():
        said.append(f"SUSPECT: solutions[{place}] stood alone on {count} inputs")
    if report.dropped["disagrees"] and not report.suspects:
        said.append(f"the solutions disagreed on {report.dropped['disagrees']} inputs")
    if not report.validator:
        said.append("no validator")
    return f"{report.id}: {'; '.join(said)}"


def _tell(reports: Sequence[Report], problems: int, wanted: int, bad: int) -> None:
    """The table on standard error, and one line of JSON on standard output."""
    dropped, answers = Counter[str](), Counter[str]()
    for report in reports:
        dropped.update(report.dropped)
        answers.update(report.answers)
    written = [report for report in reports if not report.why]
    figures: dict[str, int | dict[str, int]] = {
        "problems": problems,
        "bad_lines": bad,
        "already_there": problems - wanted,
        "written": len(written),
        "without_tests": sum(bool(one.why) and not one.failed for one in reports),
        "failed": sum(one.failed for one in reports),
        "not_tried": wanted - len(reports),
        "tests": sum(one.tests for one in written),
        "wrong": sum(one.wrong for one in written),
        "wrong_uncaught": sum(len(one.uncaught) for one in written),
        "wrong_not_wrong": sum(one.not_wrong for one in reports),
        "with_suspects": sum(bool(one.suspects) for one in reports),
        "generators_broken": sum(one.broken for one in reports),
        "programs_repaired": sum(one.repaired for one in reports),
        "without_validator": sum(not one.validator for one in written),
        "inputs": sum(one.inputs for one in reports),
        "dropped": dict(dropped.most_common()),
        "model_calls": answers["asked"],
        "cached_calls": answers["cached"],
        "prompt_tokens": answers["prompt_tokens"],
        "completion_tokens": answers["completion_tokens"],
    }
    table = Table("what", "count", title="Test generation", title_justify="left")
    for name, figure in figures.items():
        inner = figure.items() if isinstance(figure, dict) else [("", figure)]
        for reason, count in inner:
            table.add_row(f"{name} {reason}".replace("_", " ").strip(), f"{count:,}")
    errors.print(table)
    print(json.dumps(figures), flush=True)
