"""The command `touchstone-sandbox`: serve, probe, run."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated

try:
    import typer
    from rich.console import Console
    from rich.table import Table
except ImportError as missing:
    sys.exit(
        f'touchstone-sandbox: {missing.name} is missing; pip install ".[server]" from a checkout'
    )

from sandbox import limits, tracing
from sandbox.agent import main as serve_frames
from sandbox.agent import unlock_cgroups as unlock
from sandbox.client import EmbeddedSandbox, SandboxUnavailable
from sandbox.languages import NAMES, find_toolchains
from sandbox.listening import permitted
from sandbox.probe import probe as probe_host
from sandbox.service import Served, Server
from sandbox.v1 import sandbox_pb2 as pb

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Runs untrusted programs and tells what they did.",
    pretty_exceptions_enable=False,
)
# Exit codes of `run` where the program has none of its own.
EXIT_UNAVAILABLE, EXIT_LIMIT, EXIT_FAILED = 69, 124, 70

WAYS = (
    "whoever does can run programs; listen on a loopback or unix: address, or say with --insecure "
    "that they may"
)

Slots = Annotated[int | None, typer.Option(help="Programs at once. Default: one for each core.")]
RequireTier = Annotated[str, typer.Option(help="Refuse to start below this tier: T1, T2 or T3.")]
Tier = Annotated[
    str | None, typer.Option(help="Use this tier though the host could give a stronger one.")
]


@app.command()
def serve(
    listen: Annotated[str, typer.Option(help="host:port or unix:path.")] = "127.0.0.1:7711",
    slots: Slots = None,
    require_tier: RequireTier = "T3",
    tier: Tier = None,
    max_queued: Annotated[
        int, typer.Option(help="Requests that may wait for a slot.")
    ] = limits.DEFAULT_MAX_QUEUED,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure",
            help="Others may reach --listen, and so run programs, in plaintext and unasked.",
        ),
    ] = False,
    unlock_cgroups: Annotated[
        bool, typer.Option(help="In a container: make its own cgroups writable first.")
    ] = False,
    containers_of: Annotated[
        str | None, typer.Option(help="Run programs in Docker containers of this image.")
    ] = None,
    runtime: Annotated[
        str | None, typer.Option(help="Of these containers: runc, runsc. Default: the engine's.")
    ] = None,
    otlp: Annotated[
        str | None, typer.Option(help="Send traces to this collector, http(s)://host:port.")
    ] = None,
) -> None:
    """Serve programs over gRPC."""
    if unlock_cgroups:
        unlock()
    try:
        end_traces = tracing.start(otlp, service="touchstone-sandbox")
    except tracing.CannotTrace as error:
        _fail(f"--otlp: {error}")

    async def run() -> None:
        address = permitted(listen, WAYS, insecure)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        sandbox: Served
        if containers_of:
            sandbox = await _containers(containers_of, runtime, slots, require_tier, max_queued)
        else:
            sandbox = await EmbeddedSandbox.start(slots, require_tier, max_queued, tier)
        described = await sandbox.describe()
        try:
            server = await Server.start(sandbox, str(address))
        except OSError:
            await sandbox.close()
            raise
        print(
            f"listening on {address.at(server.port)}, {sandbox.pool.slots} slots, "
            f"tier {pb.Tier.Name(described.tier)}",
            flush=True,
        )
        await stop.wait()
        await server.stop()

    try:
        asyncio.run(run())
    except (SandboxUnavailable, OSError, ValueError) as error:
        _fail(str(error))
    finally:
        end_traces()


async def _containers(
    image: str, runtime: str | None, slots: int | None, require_tier: str, max_queued: int
) -> Served:
    try:
        from sandbox.docker import DockerSandbox, Settings
    except ImportError as missing:
        raise SandboxUnavailable(
            f'{missing.name} is missing; pip install ".[docker]" from a checkout'
        ) from missing
    settings = Settings(
        image=image,
        containers=slots,
        runtime=runtime,
        require_tier=require_tier,
        max_queued=max_queued,
    )
    return await DockerSandbox.start(settings)


@app.command()
def agent(slots: Slots = None, require_tier: RequireTier = "T3") -> None:
    """Run programs asked for on standard input: what runs in each container."""
    serve_frames(slots, require_tier)


@app.command()
def probe() -> None:
    """Show which isolation this host allows."""
    found = asyncio.run(probe_host())
    console = Console()
    table = Table("mechanism", "in force", "detail")
    for mechanism in found.mechanisms:
        table.add_row(mechanism.name, "yes" if mechanism.in_force else "no", mechanism.detail)
    console.print(table)
    toolchains = find_toolchains()
    languages = Table("language", "toolchain")
    for name, language in toolchains.found.items():
        languages.add_row(name, language.toolchain)
    for name, why in toolchains.missing.items():
        languages.add_row(name, f"missing: {why}")
    console.print(languages)
    for why in found.missing:
        console.print(f"not available: {why}")
    if found.confinement is None:
        console.print("tier: none")
        raise typer.Exit(EXIT_UNAVAILABLE)
    console.print(f"tier: {pb.Tier.Name(found.tier)}")


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="The program.", exists=True, dir_okay=False)],
    language: Annotated[str, typer.Option(help=f"One of {', '.join(NAMES)}.")] = "python",
    cpu_seconds: Annotated[
        float, typer.Option(help="CPU time limit.")
    ] = limits.DEFAULT_CPU_SECONDS,
    memory_mib: Annotated[
        int, typer.Option(min=1, help="Memory limit in MiB.")
    ] = limits.DEFAULT_MEMORY_BYTES // limits.MIB,
    require_tier: RequireTier = "T3",
) -> None:
    """Run one program on standard input, in the sandbox.

    The exit status is the program's own; 128 + signal when one ended it; 1 when it does not
    compile; 124 at a limit; 70 when it could not be run; 69 when there is no sandbox.
    """
    try:
        source = file.read_text()
    except UnicodeDecodeError as error:
        print(f"touchstone-sandbox: {file} is not UTF-8: {error}", file=sys.stderr)
        raise typer.Exit(EXIT_FAILED) from None
    # One byte more than is allowed is enough to be told so.
    most = limits.MAX_INPUT_BYTES + 1
    request = pb.RunRequest(
        language=language,
        source=source,
        inputs=pb.Inputs(stdin=[b"" if sys.stdin.isatty() else sys.stdin.buffer.read(most)]),
        limits=pb.Limits(cpu_seconds=cpu_seconds, memory_bytes=memory_mib * limits.MIB),
    )

    async def go() -> pb.RunResult:
        sandbox = await EmbeddedSandbox.start(slots=1, require_tier=require_tier)
        try:
            return await sandbox.run(request)
        finally:
            await sandbox.close()

    try:
        result = asyncio.run(go())
    except SandboxUnavailable as error:
        _fail(str(error))
    if result.status != pb.RunResult.OK or result.compile_failed:
        print((result.message or result.diagnostics).rstrip("\n"), file=sys.stderr)
        raise typer.Exit(1 if result.compile_failed else EXIT_FAILED)
    outcome = result.outcomes[0]
    sys.stdout.buffer.write(outcome.stdout)
    sys.stdout.flush()
    sys.stderr.buffer.write(outcome.stderr)
    sys.stderr.flush()
    Console(stderr=True).print(
        f"{_ending(outcome)}, tier {pb.Tier.Name(result.tier)}, "
        f"{outcome.cpu_us / 1000:.1f} ms CPU, "
        f"{outcome.wall_us / 1000:.1f} ms wall, {outcome.peak_memory_bytes / limits.MIB:.1f} MiB",
        style="dim",
    )
    raise typer.Exit(_exit_code(outcome))


@app.command()
def prepare() -> None:
    """Build what is built once for this host: precompiled headers, warm compilers' tools.

    About 15 s of CPU time and 250 MB in $TOUCHSTONE_CACHE (default: /var/cache/touchstone
    for root, ~/.cache/touchstone for others). Without
    it everything works, but C++ compiles take five times as long. A server that runs takes what
    is there when it starts.
    """
    from sandbox.languages.prepare import prepare as build

    failed = build(lambda text: print(text, flush=True))
    if failed:
        _fail("; ".join(failed))


def _ending(outcome: pb.Outcome) -> str:
    name = pb.Outcome.Ending.Name(outcome.ending)
    if outcome.ending == pb.Outcome.SIGNALLED:
        return f"{name} {signal.Signals(outcome.signal).name}"
    return name


def _exit_code(outcome: pb.Outcome) -> int:
    if outcome.ending == pb.Outcome.EXITED:
        return outcome.exit_code
    return 128 + outcome.signal if outcome.ending == pb.Outcome.SIGNALLED else EXIT_LIMIT


def _fail(message: str) -> None:
    print(f"touchstone-sandbox: {message}", file=sys.stderr)
    sys.exit(EXIT_UNAVAILABLE)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
