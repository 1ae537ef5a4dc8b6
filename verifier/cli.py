"""`touchstone`: serve, verify, view, describe, recipes, generate-tests."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

try:
    import typer
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
    from rich.table import Table
except ImportError as missing:
    sys.exit(f'touchstone: {missing.name} is missing; from a checkout: pip install ".[server]"')

from google.protobuf import json_format

from verifier import jsonl, summary
from verifier.client import ServiceError, VerifierClient
from verifier.embedded import READY_PREFIX, EmbeddedServer, ServerFailed
from verifier.generate_cli import generate_tests
from verifier.terminal import CANNOT_RUN, errors, fail
from verifier.v1 import verifier_pb2 as pb
from verifier.view.command import view

if TYPE_CHECKING:
    from verifier.server import Settings

app = typer.Typer(
    help="Reward and verification server for reinforcement learning on reasoning models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
log = logging.getLogger("touchstone")

Sandbox = Annotated[
    str,
    typer.Option(help="embedded (slots of its own), none, or host:port of a sandbox service."),
]
Address = Annotated[
    str | None,
    typer.Option(help="host:port of a running server; without it one is started and stopped."),
]

JudgeFile = Annotated[
    Path | None,
    typer.Option("--judge", help="TOML file that says how a judge is asked (docs/judge.md)."),
]

AuditFile = Annotated[
    Path | None,
    typer.Option(
        "--audit",
        help="Write every item with its verdict to this .jsonl or .parquet file (docs/audit.md).",
    ),
]

NOT_EVERYTHING_VERIFIED = 1

INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 and the signal's number, as of a shell."""

TIERS = ("T1", "T2", "T3")

GC_OBJECTS = 50_000
"""Objects between two looks for cycles: with CPython's 700 they take a tenth of the time."""


@app.command()
def serve(
    listen: Annotated[str, typer.Option(help="host:port; port 0 takes a free one.")] = (
        "127.0.0.1:50051"
    ),
    sandbox: Sandbox = "embedded",
    slots: Annotated[
        int | None, typer.Option(min=1, help="Programs at once; default: one for each core.")
    ] = None,
    math_workers: Annotated[
        int, typer.Option(min=1, help="Processes for symbolic mathematics.")
    ] = 1,
    require_tier: Annotated[
        str, typer.Option(help="Refuse to start below this isolation tier: T1, T2 or T3.")
    ] = "T3",
    probe: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share of accepted programs run again in another order of tests."
        ),
    ] = 0.0,
    judge: JudgeFile = None,
    audit: AuditFile = None,
    audit_mib: Annotated[
        int, typer.Option(min=1, help="MiB after which the file of --audit is full.")
    ] = 128,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="HTTP port for Prometheus; default: none."),
    ] = None,
    http: Annotated[
        str | None,
        typer.Option(help="host:port of an HTTP front (docs/http.md); default: none."),
    ] = None,
    http_public: Annotated[
        bool, typer.Option("--http-public", help="--http may be where other machines reach it.")
    ] = False,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
    end_with_stdin: Annotated[
        bool, typer.Option(help="Stop when standard input closes (a parent that is gone).")
    ] = False,
) -> None:
    """Serve verdicts over gRPC until interrupted."""
    from sandbox.client import SandboxUnavailable
    from verifier.audit.recorder import AuditError
    from verifier.judge.settings import SettingsError, load
    from verifier.limits import MIB
    from verifier.server import ListenError, Settings

    if log_level.upper() not in logging.getLevelNamesMapping():
        fail(f"--log-level: one of debug, info, warning, error, got {log_level!r}")
    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(name)s %(message)s")
    if log_level.upper() != "DEBUG":
        logging.getLogger("httpx2").setLevel("WARNING")  # else a line for each question to a judge
    if require_tier not in TIERS:
        fail(f"--require-tier: one of {', '.join(TIERS)}, got {require_tier!r}")
    try:
        judge_settings = None if judge is None else load(judge)
    except (OSError, SettingsError) as error:
        fail(f"--judge: {error}")
    settings = Settings(
        listen=listen,
        sandbox=sandbox,
        slots=slots,
        math_workers=math_workers,
        require_tier=require_tier,
        probe_share=probe,
        judge=judge_settings,
        audit=audit,
        audit_file_bytes=audit_mib * MIB,
        metrics_port=metrics_port,
        http=http,
        http_public=http_public,
    )
    try:
        asyncio.run(_serve(settings, end_with_stdin))
    except (ListenError, SandboxUnavailable) as error:
        fail(str(error))
    except SettingsError as error:
        fail(f"--judge: {judge}: {error}")
    except AuditError as error:
        fail(f"--audit: {error}")


async def _serve(settings: Settings, end_with_stdin: bool) -> None:
    from verifier.server import Server

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if end_with_stdin:
        loop.add_reader(0, _watch_stdin, loop, stop)
    async with Server(settings) as server:
        # What is there by now stays, and what comes is mostly messages, which form no cycles.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GC_OBJECTS)
        print(f"{READY_PREFIX}{server.address}", flush=True)
        if server.http_address:
            print(f"http at http://{server.http_address}", flush=True)
        if server.metrics_address:
            log.info("metrics at http://%s/metrics", server.metrics_address)
        await stop.wait()


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    if not os.read(0, 4096):
        loop.remove_reader(0)
        stop.set()


@app.command()
def verify(
    files: Annotated[
        list[Path] | None, typer.Argument(help="With --replay: the files of records.")
    ] = None,
    input: Annotated[
        Path | None, typer.Option(help="Items, JSON Lines; - for standard input.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Verdicts, JSON Lines in the items' order; - for stdout.")
    ] = None,
    replay: Annotated[
        bool,
        typer.Option(
            "--replay",
            help="Verify the records of FILES again (written by --audit, or, with --input, verdicts"
            " of those items) and report what changed; --output gets the changed ones.",
        ),
    ] = False,
    address: Address = None,
    sandbox: Sandbox = "embedded",
    judge: JudgeFile = None,
    audit: AuditFile = None,
) -> None:
    """Verify a file of items; exit status 0 only if every item got a verdict.

    With --replay, only if some verdict could be compared, and none is another than on record.
    """
    for option, given in (("--judge", judge), ("--audit", audit)):
        if given is not None and address is not None:
            fail(f"{option}: is for a server of our own; that at --address has its own settings")
    if audit is not None:
        named = [("--input", input), ("--output", output), *(("FILES", one) for one in files or [])]
        for option, given in named:
            if given is not None and given.resolve() == audit.with_suffix(".jsonl").resolve():
                fail(f"--audit: writes {option} itself, {given}")
    if replay:
        _replay(files or [], input, output, _server(address, sandbox, judge, audit))
        return
    if files:
        fail(f"{files[0]}: files are for --replay; items are given with --input")
    if input is None:
        fail("--input: a file of items is required, got none")
    if output is not None and str(output) != "-" and output.resolve() == input.resolve():
        fail(f"--output: is the input itself, {output}")
    read = _read(input)
    items = [item for item in read if isinstance(item, pb.Item)]
    verdicts: dict[int, pb.Verdict] = {}
    failure: str | None = None
    status = NOT_EVERYTHING_VERIFIED
    seconds = 0.0
    with _opened(output, "wb", sys.stdout.buffer) as out:
        try:
            with _server(address, sandbox, judge, audit) as at, VerifierClient(at) as client:
                started = time.perf_counter()
                with _progress(len(items)) as step:
                    for place, verdict in client.stream(items):
                        verdicts[place] = verdict
                        step()
                seconds = time.perf_counter() - started
        except ServiceError as error:
            failure = str(error)
        except KeyboardInterrupt:
            failure = f"interrupted: {len(verdicts):,} of {len(items):,} items have a verdict"
            status = INTERRUPTED
        finally:  # what came is worth keeping
            answers = [v for v in summary.merge(read, verdicts) if v is not None]
            if out is not None:
                _write(answers, out)
    _print_summary(summary.summarise(answers, seconds))
    if failure:
        errors.print(failure, style="red", markup=False)
    if failure or len(items) < len(read):
        raise typer.Exit(status)


def _replay(
    files: list[Path],
    items: Path | None,
    output: Path | None,
    server: AbstractContextManager[str],
) -> None:
    from verifier.audit import command

    command.check(files, items, output)
    with _opened(output, "wb", sys.stdout.buffer) as out:
        command.replay(files, items, out, server)


def _read(path: Path) -> list[pb.Item | jsonl.BadLine]:
    """The lines of a file; says what is wrong with the bad ones."""
    with _opened(path, "rb", sys.stdin.buffer) as lines:
        assert lines is not None
        read = list(jsonl.read_items(lines))
    for bad in read:
        if isinstance(bad, jsonl.BadLine):
            said = f"{path}: {bad.message}"
            errors.print(said, style="red", markup=False, highlight=False, soft_wrap=True)
    return read


def _write(answers: list[pb.Verdict], out: BinaryIO) -> None:
    try:
        jsonl.write_verdicts(answers, out)
        out.flush()
    except OSError as error:
        fail(f"--output: {error}")


@app.command()
def describe(
    address: Address = None,
    sandbox: Sandbox = "embedded",
    json: Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON.")] = False,
) -> None:
    """Print what a server can do and the limits it keeps."""
    from verifier.recipes import formula

    try:
        with _server(address, sandbox) as at, VerifierClient(at) as client:
            told = client.describe()
    except ServiceError as error:
        fail(str(error))
    if json:
        print(json_format.MessageToJson(told, preserving_proto_field_name=True))
        return
    table = Table(show_header=False)
    table.add_row("version", told.version)
    for task in told.tasks:
        table.add_row("task", f"{task.name} (verifier {task.verifier_version})")
    for recipe in told.recipes:
        table.add_row("recipe", f"{recipe.name} = {formula(recipe)}\n{recipe.description}")
    for toolchain in told.toolchains:
        table.add_row("programs", f"{toolchain.language} ({toolchain.version})")
    table.add_row("target languages", ", ".join(told.languages))
    table.add_row("sandbox tier", told.sandbox_tier or "none")
    table.add_row("judge", told.judge_model or "none")
    table.add_row("reward model", told.reward_model or "none")
    for field, value in told.limits.ListFields():
        if field.name != "code":
            table.add_row(f"limit {field.name}", f"{value:,}")
    for field, value in told.limits.code.ListFields():
        table.add_row(f"limit code.{field.name}", f"{int(value):,}")
    Console().print(table)


@app.command("recipes")
def list_recipes(
    files: Annotated[
        list[Path] | None, typer.Argument(help="TOML files to check; default: the built-in ones.")
    ] = None,
) -> None:
    """Print each recipe in a sentence and a formula; checks files of one's own."""
    from verifier import recipes

    shown = []
    for file in files or []:
        try:
            shown.append(recipes.read(file.read_text("utf-8"), str(file)))
        except UnicodeDecodeError as error:
            fail(f"{file}: not UTF-8 at byte {error.start}")
        except (OSError, recipes.RecipeError) as error:
            fail(str(error))
    for recipe in shown or recipes.BUILT_IN.values():
        print(f"{recipe.name} (version {recipe.version or '1'}, {recipes.digest(recipe)})")
        if recipe.description:
            print(f"  {recipe.description}")
        print(f"  reward = {recipes.formula(recipe)}")


@contextmanager
def _server(
    address: str | None, sandbox: str, judge: Path | None = None, audit: Path | None = None
) -> Iterator[str]:
    """The address of the server to ask; one of our own lives as long as the block."""
    if address is not None:
        yield address
        return
    try:
        options = ["--log-level", "warning", "--sandbox", sandbox]
        if judge is not None:
            options += ["--judge", str(judge)]
        if audit is not None:
            options += ["--audit", str(audit)]
        with EmbeddedServer(*options) as server:
            yield server.address
    except ServerFailed as error:
        fail(str(error))


@contextmanager
def _opened(path: Path | None, mode: str, standard: BinaryIO) -> Iterator[BinaryIO | None]:
    """A binary file, the standard stream for `-`, None for none; ends the command on errors."""
    if path is None:
        yield None
    elif str(path) == "-":
        yield standard
    else:
        option = "--input" if "r" in mode else "--output"
        try:
            file = cast(BinaryIO, path.open(mode))
        except OSError as error:
            fail(f"{option}: {error}")
        try:
            yield file
        finally:
            with suppress(OSError):  # writers flush; what that could not write it has said
                file.close()


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal, nothing elsewhere."""
    columns = ("verified", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, disable=not errors.is_terminal) as progress:
        task = progress.add_task("", total=total)
        yield lambda: progress.advance(task)


def _print_summary(counted: summary.Summary) -> None:
    table = Table("status", "reason", "items", title="Verdicts", title_justify="left")
    for (status, reason), count in counted.counts:
        table.add_row(status, reason, f"{count:,}")
    errors.print(table)
    mean = "none" if counted.mean_reward is None else f"{counted.mean_reward:.4f}"
    errors.print(
        f"{counted.items:,} verdicts, mean reward {mean} over {counted.rewarded:,}, "
        f"{counted.items_per_second:,.0f} items/s"
    )


app.command()(generate_tests)
app.command()(view)


def main() -> None:
    """Entry point of the console command `touchstone`."""
    try:
        app()
    except BrokenPipeError:
        sys.exit(CANNOT_RUN)


if __name__ == "__main__":
    main()
