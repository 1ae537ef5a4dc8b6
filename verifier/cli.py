"""`touchstone`: serve, verify, view, describe, recipes, generate-tests, health, top, token."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Annotated, BinaryIO, cast

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
from verifier.client_cli import (
    Client,
    Insecure,
    TlsCa,
    TlsCert,
    TlsKey,
    TlsName,
    TokenEnv,
)
from verifier.embedded import EmbeddedServer, ServerFailed
from verifier.generate_cli import generate_tests
from verifier.health_cli import health
from verifier.security.token_cli import token
from verifier.serve_cli import AuditFile, JudgeFile, Sandbox, serve
from verifier.terminal import CANNOT_RUN, errors, fail
from verifier.top_cli import top
from verifier.v1 import verifier_pb2 as pb
from verifier.view.command import view

app = typer.Typer(
    help="Reward and verification server for reinforcement learning on reasoning models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Address = Annotated[
    str | None,
    typer.Option(help="host:port of a running server; without it one is started and stopped."),
]

NOT_EVERYTHING_VERIFIED = 1

INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 and the signal's number, as of a shell."""


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
    token_env: TokenEnv = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    tls_name: TlsName = None,
    insecure: Insecure = None,
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
    client_of = Client(address, token_env, tls_ca, tls_cert, tls_key, tls_name, insecure)
    if replay:
        _replay(files or [], input, output, _server(address, sandbox, judge, audit), client_of)
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
            with _server(address, sandbox, judge, audit) as at, client_of(at) as client:
                if address is not None:
                    client.describe()  # a wrong address is said soon
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
    client_of: Callable[[str], VerifierClient],
) -> None:
    from verifier.audit import command

    command.check(files, items, output)
    with _opened(output, "wb", sys.stdout.buffer) as out:
        command.replay(files, items, out, server, client_of)


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
    token_env: TokenEnv = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    tls_name: TlsName = None,
    insecure: Insecure = None,
) -> None:
    """Print what a server can do and the limits it keeps."""
    from verifier.recipes import formula

    client_of = Client(address, token_env, tls_ca, tls_cert, tls_key, tls_name, insecure)
    try:
        with _server(address, sandbox) as at, client_of(at) as client:
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


app.command()(serve)
app.command()(generate_tests)
app.command()(health)
app.command()(view)
app.command()(top)
app.command()(token)


def main() -> None:
    """Entry point of the console command `touchstone`."""
    try:
        app()
    except BrokenPipeError:
        sys.exit(CANNOT_RUN)


if __name__ == "__main__":
    main()
