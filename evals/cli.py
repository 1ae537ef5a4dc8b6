"""`touchstone-eval`: run, score, search, import, compare, report, table, export, questions,
benchmarks."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

try:
    import typer
    from rich.console import Console
except ImportError as missing:
    sys.exit(f'touchstone-eval: {missing.name} is missing; pip install ".[evals]" from a checkout')

if TYPE_CHECKING:
    from evals.benchmark import Benchmark
    from evals.data import Data
    from evals.model import Model
    from evals.summary import Summary
    from evals.tables import Grid

app = typer.Typer(
    help="Benchmarks: generate, score, compare, report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
errors = Console(stderr=True)
out_console = Console()

CANNOT_RUN = 2
"""Exit status of a command that cannot do what it was asked for."""
TOO_MANY_FAILED = 1
"""Exit status where more samples have no score than --max-failed allows."""

Names = Annotated[
    str, typer.Option("--benchmarks", help="Names with commas between (`benchmarks` lists them).")
]
DataFolder = Annotated[
    Path | None,
    typer.Option("--data", envvar="TOUCHSTONE_DATA", help="The folder with benchmarks' data."),
]
Verifier = Annotated[
    str, typer.Option(help="host:port of a running server, or embedded: one for this command.")
]
JudgeUrl = Annotated[
    str, typer.Option("--judge", help="URL of the judge model's endpoint, for who needs one.")
]
MaxFailed = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        help="Largest share of samples without a score (API and grader errors, missing ones); "
        "beyond it the exit status is 1.",
    ),
]
ProtocolName = Annotated[
    str | None, typer.Option(help="r1, or one of the benchmark's own; default: its first.")
]
StrategyNames = Annotated[
    list[str] | None,
    typer.Option(
        "--strategy",
        help="Also of the same samples: self_consistency, weighted_vote:BY or best_of_n:BY, where "
        "BY is a part of the verdict, or given; repeatable.",
    ),
]
Weights = Annotated[
    Path | None,
    typer.Option(help="JSON Lines of benchmark, question, sample, weight: what `given` means."),
]
ModelName = Annotated[
    str, typer.Option(help="As the endpoint calls it; default: the only one it has.")
]
KeyName = Annotated[
    str, typer.Option(help="The environment variable that holds the endpoint's key.")
]
Hub = Annotated[bool, typer.Option(help="Ask the hub for what the folder lacks.")]
Limit = Annotated[int, typer.Option(min=0, help="Only the first questions of each; 0: all.")]


def fail(message: str) -> NoReturn:
    """Says why, and ends the command."""
    from evals.tables import plain

    told = "\n".join(map(plain, message.split("\n")))
    errors.print(f"touchstone-eval: {told}", style="red", markup=False, soft_wrap=True)
    raise typer.Exit(CANNOT_RUN)


@contextmanager
def _explained() -> Iterator[None]:
    """Errors that a user can do something about end the command with their message."""
    from evals.benchmark import BenchmarkError
    from evals.compare import CompareError
    from evals.data import DataMissing
    from evals.generate import BudgetSpent, EndpointGone
    from evals.harnesses import HarnessFailed
    from evals.metrics import MetricError
    from evals.model import ModelError
    from evals.records import RecordError
    from evals.strategies import StrategyError
    from verifier.client import ServiceError
    from verifier.embedded import ServerFailed

    try:
        yield
    except (
        BenchmarkError,
        BudgetSpent,
        CompareError,
        DataMissing,
        EndpointGone,
        HarnessFailed,
        MetricError,
        ModelError,
        RecordError,
        ServerFailed,
        StrategyError,
        OSError,
    ) as error:
        fail(str(error))
    except ServiceError as error:
        fail(f"the verification server (--verifier): {error}")
    except KeyboardInterrupt:
        fail("interrupted; what was answered is kept, the same command goes on from there")


@app.command()
def run(
    model: Annotated[
        str, typer.Option(help="URL of an OpenAI-compatible endpoint, or a model's directory.")
    ],
    benchmarks: Names,
    out: Annotated[Path, typer.Option(help="Where samples, scores and summaries go.")] = Path(
        "evaluation"
    ),
    k: Annotated[
        int | None, typer.Option(min=1, help="Samples of each question; default: the protocol's.")
    ] = None,
    protocol: ProtocolName = None,
    temperature: Annotated[float | None, typer.Option(min=0)] = None,
    top_p: Annotated[float | None, typer.Option(min=0, max=1)] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Of one answer.")] = None,
    model_name: ModelName = "",
    api_key_env: KeyName = "",
    data: DataFolder = None,
    hub: Hub = True,
    limit: Limit = 0,
    seed: Annotated[int, typer.Option(help="Of all samples.")] = 0,
    concurrency: Annotated[int, typer.Option(min=1, help="Samples under way at once.")] = 64,
    stall_seconds: Annotated[
        float, typer.Option(min=1, help="The longest wait for the next token.")
    ] = 900.0,
    tries: Annotated[int, typer.Option(min=1, help="Of a sample, before it is an error.")] = 6,
    omit: Annotated[
        list[str] | None,
        typer.Option(help="A parameter that the endpoint refuses, as seed; repeatable."),
    ] = None,
    extra_body: Annotated[
        str, typer.Option(help="JSON merged into every request, as chat_template_kwargs.")
    ] = "",
    price_prompt: Annotated[float, typer.Option(min=0, help="Of a million tokens.")] = 0.0,
    price_completion: Annotated[float, typer.Option(min=0, help="Of a million tokens.")] = 0.0,
    max_cost: Annotated[float, typer.Option(min=0, help="The most to spend; 0: no cap.")] = 0.0,
    verifier: Verifier = "embedded",
    judge: JudgeUrl = "",
    judge_name: Annotated[str, typer.Option(help="The judge, as its endpoint calls it.")] = "",
    judge_key_env: Annotated[str, typer.Option(help="As --api-key-env.")] = "",
    strategy: StrategyNames = None,
    weights: Weights = None,
    max_failed: MaxFailed = 0.01,
) -> None:
    """Ask a model what is missing, grade it, and sum up."""
    from evals.endpoint import OMITTABLE, EndpointSettings
    from evals.generate import Prices

    if unknown := [name for name in omit or () if name not in OMITTABLE]:
        fail(f"--omit: one of {', '.join(OMITTABLE)}, got {unknown[0]!r}")
    if max_cost and not (price_prompt or price_completion):
        fail("--max-cost: needs --price-prompt and --price-completion to count by")
    overrides = {
        name: value
        for name, value in {
            "k": k,
            "temperature": temperature,
            "top_p": top_p,
            "max_tokens": max_tokens,
        }.items()
        if value is not None
    }
    told = EndpointSettings(
        model,
        model_name,
        api_key_env,
        stall_seconds,
        tries,
        frozenset(omit or ()),
        _json(extra_body),
    )
    judge_told = EndpointSettings(
        judge, judge_name, judge_key_env, stall_seconds, tries, option="judge"
    )
    with _explained():
        chosen = _chosen(benchmarks)
        summaries = _run(
            chosen,
            verifier,
            model=told,
            judge=judge_told if judge else None,
            out=out,
            data=_data(data, hub),
            protocol=protocol,
            overrides=overrides,
            limit=limit,
            seed=seed,
            concurrency=concurrency,
            prices=Prices(price_prompt, price_completion, max_cost),
            **_strategies(strategy, weights),
        )
    _finish(summaries, max_failed)


@app.command()
def score(
    out: Annotated[Path, typer.Argument(help="A run's directory.")],
    data: DataFolder = None,
    hub: Hub = True,
    verifier: Verifier = "embedded",
    judge: JudgeUrl = "",
    judge_name: Annotated[str, typer.Option(help="The judge, as its endpoint calls it.")] = "",
    judge_key_env: Annotated[str, typer.Option(help="As run's --api-key-env.")] = "",
    strategy: StrategyNames = None,
    weights: Weights = None,
    max_failed: MaxFailed = 0.01,
) -> None:
    """Grade what was generated and has no score of this version, and sum up."""
    from evals.benchmarks import named
    from evals.endpoint import EndpointSettings
    from evals.run import stored

    told = EndpointSettings(judge, judge_name, judge_key_env, option="judge")
    with _explained():
        if not (held := stored(out)):
            fail(f"{out}: no run.json with benchmarks in it")
        summaries = []
        for one in held:
            summaries += _run(
                (named(one.benchmark),),
                verifier,
                model=None,
                judge=told if judge else None,
                out=out,
                data=_data(data, hub),
                protocol=one.protocol,
                limit=one.limit,
                **_strategies(strategy, weights),
            )
    _finish(summaries, max_failed)


@app.command()
def search(
    model: Annotated[str, typer.Option(help="URL of an OpenAI-compatible endpoint.")],
    benchmarks: Names,
    strategy: Annotated[str, typer.Option(help="rebase:WIDTH (solutions) or mcts:BUDGET (steps).")],
    verifier: Annotated[str, typer.Option(help="host:port of the server that has the recipe.")],
    recipe: Annotated[str, typer.Option(help="The server's, whose part scores beginnings.")],
    part: Annotated[str, typer.Option(help="Of the recipe.")] = "reward_model",
    out: Annotated[Path, typer.Option(help="Where searches go.")] = Path("evaluation"),
    protocol: ProtocolName = None,
    temperature: Annotated[float | None, typer.Option(min=0)] = None,
    step_tokens: Annotated[int, typer.Option(min=1, help="Of one step.")] = 1024,
    opening: Annotated[str, typer.Option(help="How every solution begins.")] = "<think>\n",
    model_name: ModelName = "",
    api_key_env: KeyName = "",
    data: DataFolder = None,
    hub: Hub = True,
    limit: Limit = 0,
    seed: Annotated[int, typer.Option(help="Of all steps.")] = 0,
    extra_body: Annotated[
        str,
        typer.Option(
            help="JSON merged into every request; the default makes vLLM and SGLang go on."
        ),
    ] = '{"continue_final_message": true, "add_generation_prompt": false}',
    max_failed: MaxFailed = 0.01,
) -> None:
    """Search for solutions step by step, and grade the search's answers."""
    from evals.benchmark import Tools
    from evals.endpoint import EndpointSettings, connect
    from evals.run import Plan
    from evals.search import Search
    from evals.search import search as search_one

    how = Search(strategy, recipe, part, opening, step_tokens)
    told = EndpointSettings(model, model_name, api_key_env, extra_body=_json(extra_body))
    overrides = {} if temperature is None else {"temperature": temperature}

    async def whole() -> dict[str, Any]:
        asked = await connect(told)
        try:
            plan = Plan(
                out,
                _data(data, hub),
                _chosen(benchmarks),
                asked,
                Tools(),
                protocol=protocol,
                overrides=overrides,
                limit=limit,
                seed=seed,
            )
            found = {}
            for benchmark in plan.benchmarks:
                figure, lost = await search_one(plan, benchmark, how, verifier, errors)
                found[benchmark.name] = {
                    strategy: figure.value,
                    "standard_error": figure.se,
                    "share_without_a_score": lost,
                }
            return found
        finally:
            await asked.close()

    with _explained():
        found = asyncio.run(whole())
    print(json.dumps(found))
    _status({name: one["share_without_a_score"] for name, one in found.items()}, max_failed)


@app.command("import")
def import_(
    form: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT", help="jsonl, lighteval, livecodebench, lm-eval or simple-evals."
        ),
    ],
    file: Annotated[Path, typer.Argument(help="What the other harness stored.")],
    benchmark: Annotated[str, typer.Option(help="Whose questions these are.")],
    model: Annotated[str, typer.Option(help="Who answered them.")],
    out: Annotated[Path, typer.Option(help="A run's directory, new or of this model.")],
    data: DataFolder = None,
    hub: Hub = True,
    limit: Limit = 0,
    partial: Annotated[
        bool, typer.Option("--partial", help="Questions may have fewer samples than others.")
    ] = False,
) -> None:
    """Take in responses of another harness, for `score` to grade."""
    from evals.benchmark import Tools
    from evals.benchmarks import named
    from evals.run import Plan, take_in

    with _explained():
        chosen = named(benchmark)
        plan = Plan(out, _data(data, hub), (chosen,), None, Tools(), limit=limit, judged=False)
        new, k = take_in(plan, chosen, model, form, file, partial=partial)
    told = f"{out}: {new} new responses, {k} of each question; touchstone-eval score {out}"
    errors.print(told, markup=False, soft_wrap=True)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="A run's directory.")],
    second: Annotated[Path, typer.Argument(help="Another's, on the same questions.")],
    form: Annotated[
        str, typer.Option("--format", help="terminal, markdown, latex or json.")
    ] = "terminal",
) -> None:
    """Compare two runs question by question: difference, interval, p-value, what could be told."""
    from dataclasses import asdict

    from evals import compare as comparing

    with _explained():
        found = comparing.compare_runs(first, second)
    if form == "json":
        print(json.dumps([asdict(one) for one in found], ensure_ascii=False))
        return
    _print(comparing.table(found), form)


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="A run's directory.")],
    against: Annotated[Path | None, typer.Option(help="Another run beside it.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="The page; default: RUN.html beside the run.")
    ] = None,
    megabytes: Annotated[
        float,
        typer.Option(min=4, help="The most that it may have; long texts lose their middle to fit."),
    ] = 10.0,
) -> None:
    """Make one HTML page of a run: scores, curves, and every sample."""
    from evals.report import write

    with _explained():
        page = write(run, output, against=against, megabytes=megabytes)
    errors.print(str(page), markup=False, soft_wrap=True)


@app.command()
def table(
    runs: Annotated[list[Path], typer.Argument(help="Directories of runs.")],
    form: Annotated[
        str,
        typer.Option("--format", help="terminal, markdown, latex or json (for leaderboards)."),
    ] = "terminal",
) -> None:
    """Print the figures of runs."""
    from evals import tables
    from evals.summary import read_summaries

    with _explained():
        found = [one for run in runs for one in read_summaries(run)]
        if not found:
            fail(f"{', '.join(map(str, runs))}: no summary.json in any")
        if form == "json":
            print(json.dumps(tables.leaderboard(found), ensure_ascii=False))
            return
    _print(tables.summaries(found), form)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="A run's directory.")],
    output: Annotated[Path, typer.Argument(help="The Parquet file to write.")],
) -> None:
    """Write all samples with their scores as Parquet."""
    from evals.export import export as write

    with _explained():
        count = write(run, output)
    errors.print(f"{output}: {count} samples", markup=False, soft_wrap=True)


@app.command()
def questions(
    output: Annotated[Path, typer.Argument(help="The file to write, JSON Lines.")],
    benchmarks: Annotated[
        str, typer.Option(help="Names with commas between; default: all there are.")
    ] = "",
    data: DataFolder = None,
    hub: Hub = True,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Leave out benchmarks whose data are not there.")
    ] = False,
) -> None:
    """Write benchmarks' questions, so that training data can be kept clear of them."""
    from evals.benchmarks import registry
    from evals.questions import gather

    with _explained():
        chosen = _chosen(benchmarks) if benchmarks else tuple(registry().values())
        rows, missing = gather(chosen, _data(data, hub))
        if missing and not skip_missing:
            fail("\n".join(missing))
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        output.write_text("".join(lines), "utf-8")
    for line in missing:
        errors.print(f"left out: {line}", markup=False, soft_wrap=True)
    told = f"{output}: {len(rows)} questions of {len(chosen) - len(missing)} benchmarks"
    errors.print(told, markup=False, soft_wrap=True)


@app.command("benchmarks")
def list_benchmarks() -> None:
    """List all benchmarks, with whose they are and how they are asked."""
    from rich.table import Table

    from evals.benchmarks import registry

    table = Table("name", "", "k", "protocols", "source", box=None)
    for benchmark in registry().values():
        names = ", ".join(protocol.name for protocol in benchmark.protocols)
        k = str(benchmark.protocols[0].k)
        table.add_row(benchmark.name, benchmark.title, k, names, benchmark.source)
    out_console.print(table)


def _run(
    chosen: tuple[Benchmark, ...],
    verifier: str,
    *,
    model: Any,
    judge: Any,
    **told: Any,
) -> list[Summary]:
    from evals.benchmark import Tools
    from evals.run import Plan
    from evals.run import run as run_all
    from verifier.embedded import EmbeddedServer

    async def whole(address: str) -> list[Summary]:
        asked = None if model is None else await _model(model)
        judging = None if judge is None else await _model(judge)
        try:
            plan = Plan(benchmarks=chosen, model=asked, tools=Tools(judging), **told)
            return await run_all(plan, address, errors)
        finally:
            for one in (asked, judging):
                if one is not None:
                    await one.close()

    with ExitStack() as stack:
        if verifier == "embedded":
            sandbox = any(benchmark.needs_sandbox for benchmark in chosen)
            arguments = () if sandbox else ("--sandbox", "none")
            server = EmbeddedServer("--log-level", "warning", *arguments)
            verifier = stack.enter_context(server).address
        return asyncio.run(whole(verifier))


async def _model(told: Any) -> Model:
    from evals.endpoint import connect
    from evals.local import LocalModel

    if told.url.startswith(("http://", "https://")):
        return await connect(told)
    if not Path(told.url).is_dir():
        fail(f"--{told.option}: a URL or a model's directory, got {told.url!r}")
    return LocalModel(Path(told.url))


def _strategies(names: list[str] | None, weights: Path | None) -> dict[str, Any]:
    from evals.strategies import named
    from evals.strategies.weights import read_given

    return {
        "strategies": tuple(named(name) for name in names or ()),
        "given": read_given(weights) if weights else {},
    }


def _print(grid: Grid, form: str) -> None:
    shapes = {"terminal": grid.rich, "markdown": grid.markdown, "latex": grid.latex}
    if form not in shapes:
        fail(f"--format: one of {', '.join(shapes)} or json, got {form!r}")
    if form == "terminal":
        out_console.print(grid.rich())
    else:
        print(shapes[form](), end="")


def _chosen(names: str) -> tuple[Benchmark, ...]:
    from evals.benchmarks import named

    told = dict.fromkeys(name.strip() for name in names.split(",") if name.strip())
    if not told:
        fail(f"--benchmarks: names with commas between, got {names!r}")
    return tuple(map(named, told))


def _data(folder: Path | None, hub: bool) -> Data:
    from evals.data import Data

    if folder is not None and not folder.is_dir():
        fail(f"--data: {folder} is no directory")
    return Data(folder, hub=hub)


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError as error:
        fail(f"--extra-body: {error}")
    if not isinstance(found, dict):
        fail(f"--extra-body: a JSON object, got {text!r}")
    return found


def _finish(summaries: list[Summary], max_failed: float) -> None:
    from evals.summary import failed_share, table

    out_console.print(table(summaries))
    figures = {one.benchmark: one.headline.value for one in summaries}
    print(json.dumps(figures))
    _status({one.benchmark: failed_share(one) for one in summaries}, max_failed)


def _status(failed: dict[str, float], max_failed: float) -> None:
    told = [f"{share:.2%} of {name}" for name, share in failed.items() if share > max_failed]
    if told:
        errors.print(
            f"touchstone-eval: {', '.join(told)} has no score, --max-failed is {max_failed:.2%}",
            style="red",
            markup=False,
            soft_wrap=True,
        )
        raise typer.Exit(TOO_MANY_FAILED)


def main() -> None:
    """Entry point of the console command `touchstone-eval`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # of figures in ASCII, too
    logging.basicConfig(level=os.environ.get("TOUCHSTONE_LOG", "WARNING").upper())
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        app()
    except BrokenPipeError:
        sys.exit(CANNOT_RUN)


if __name__ == "__main__":
    main()
