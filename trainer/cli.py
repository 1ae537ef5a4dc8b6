"""`touchstone-train`: grpo, sft, reward-model, pipeline, sample, report, export, fields."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

try:
    import typer
    from rich.console import Console
except ImportError as missing:
    sys.exit(f'touchstone-train: no {missing.name}; from a checkout: pip install ".[trainer]"')

if TYPE_CHECKING:
    from trainer.config import GrpoConfig, RewardModelConfig, SftConfig
    from trainer.pipeline.run import Standing

app = typer.Typer(
    help="A thin trainer: GRPO with rewards from the verification service, and SFT.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
errors = Console(stderr=True)

CANNOT_RUN = 2
"""Exit status of a command that cannot do what it was asked for."""

STOPPED = 130
"""Exit status of one that was interrupted: a shell's."""

SPEAKS_WITHIN_S = 60.0
"""By then the first process has said what is wrong, and torchrun has ended the others."""

Recipe = Annotated[Path, typer.Argument(help="A recipe, TOML (examples/recipes, recipes/full).")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Replaces a value of the recipe; repeatable."),
]
Check = Annotated[
    bool,
    typer.Option(
        "--check", help="Only check recipe, model and data, and show the memory; asks no server."
    ),
]
R = TypeVar("R", "GrpoConfig", "SftConfig", "RewardModelConfig")


def fail(message: str) -> NoReturn:
    """Says why, and ends the command."""
    errors.print(f"touchstone-train: {message}", style="red", markup=False, soft_wrap=True)
    raise typer.Exit(CANNOT_RUN)


@contextmanager
def _explained(*others: type[Exception]) -> Iterator[None]:
    """Errors that a user can do something about end the command with their message."""
    from trainer.checkpoint import CheckpointError
    from trainer.config import ConfigError
    from trainer.data import DataError
    from trainer.log import RunError
    from trainer.optimize import TrainingStopped
    from trainer.rollout.engine import EngineError
    from trainer.rollout.verify_sync import StaleWeights
    from trainer.tokens import TokenizerError
    from verifier.client import ServiceError, VerificationFailed
    from verifier.embedded import ServerFailed

    known: tuple[type[Exception], ...] = (
        CheckpointError, ConfigError, DataError, EngineError, RunError, ServerFailed,
        ServiceError, StaleWeights, TokenizerError, TrainingStopped, VerificationFailed, *others,
    )  # fmt: skip
    try:
        yield
    except known as error:
        fail(str(error))


@app.command()
def grpo(recipe: Recipe, set: Set = None, check: Check = False) -> None:
    """Train with GRPO; a run that was broken off goes on. Also under torchrun."""
    from trainer.config import GrpoConfig

    with _checked(recipe, set, check, GrpoConfig) as read:
        from trainer.grpo import train
        from trainer.run import Run

        Run(read).read() if check else train(read)


@app.command()
def sft(recipe: Recipe, set: Set = None, check: Check = False) -> None:
    """Fine-tune on completions; a run that was broken off goes on. Also under torchrun."""
    from trainer.config import SftConfig

    with _checked(recipe, set, check, SftConfig) as read:
        from trainer.sft import Run, train

        Run(read).read() if check else train(read)


@app.command()
def reward_model(recipe: Recipe, set: Set = None, check: Check = False) -> None:
    """Train a reward model on rated responses; one that was broken off goes on. Also under
    torchrun."""
    from trainer.config import RewardModelConfig

    with _checked(recipe, set, check, RewardModelConfig) as read:
        from trainer.reward_model import Run, train

        Run(read).read() if check else train(read)


@app.command()
def pipeline(
    recipe: Annotated[Path, typer.Argument(help="A pipeline, TOML (recipes/full/r1.toml).")],
    set: Set = None,
    first: Annotated[
        str | None, typer.Option("--from", help="The first stage to make; default: the first.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--until", help="The last stage to make; default: the last.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Make those that are complete, or changed, anew.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only check all of it, and say what would be made.")
    ] = False,
) -> None:
    """Run stages one after the other, as DeepSeek-R1's; one that was broken off goes on."""
    _log_to_terminal()
    from trainer.pipeline.config import load_pipeline
    from trainer.pipeline.manifest import ManifestError
    from trainer.pipeline.page import NAME
    from trainer.pipeline.run import plan, run, select
    from trainer.pipeline.stage import StageFailed

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:  # not under nohup
            signal.signal(number, _interrupt)
    with _explained(ManifestError, StageFailed):
        config = load_pipeline(recipe, set or [])
        if dry_run:
            _show(plan(config, select(config, first, last), again))
            return
        try:
            run(config, first, last, again)
        except KeyboardInterrupt:
            _say("stopped; the same command goes on from the stage that was broken off")
            raise typer.Exit(STOPPED) from None
    _say(f"done; see it: {config.pipeline.dir / NAME}")


def _interrupt(number: int, _: object) -> None:
    """What Ctrl-C does: servers that a stage started are ended in order."""
    signal.signal(number, signal.SIG_IGN)
    if signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None):  # in a shell's background
        raise KeyboardInterrupt
    signal.raise_signal(signal.SIGINT)  # an event loop has a handler of its own


def _show(planned: Iterable[tuple[Standing, str]]) -> None:
    """What a run would do with each stage, and why."""
    from rich.table import Table
    from rich.text import Text

    colours = {"complete": "green", "changed": "red", "begun": "yellow", "waiting": "dim"}
    table = Table("stage", "kind", "state", "seconds", "would", box=None, pad_edge=False)
    for found, what in planned:
        seconds = (found.timing or {}).get("seconds")
        told = Text("\n".join([what, *found.why.splitlines()]), overflow="fold")
        table.add_row(
            found.name, found.stage.kind, Text(found.state, style=colours[found.state]),
            "" if seconds is None else f"{seconds:.0f}", told,
        )  # fmt: skip
    Console(soft_wrap=not sys.stdout.isatty()).print(table)


@app.command()
def pipeline_table(
    directories: Annotated[
        list[Path], typer.Argument(help="Directories of pipelines: the same one by several seeds.")
    ],
) -> None:
    """Print the stage table of finished pipelines, and what of DeepSeek-R1's paper came out."""
    from trainer.pipeline import figures, statements
    from trainer.pipeline.manifest import ManifestError
    from trainer.pipeline.seeds import read_table

    with _explained(ManifestError):
        tables = [read_table(directory) for directory in directories]
    print(figures.markdown_of_seeds(tables))
    print(statements.markdown(statements.check(tables)), end="")


def _log_to_terminal() -> None:
    logging.basicConfig(level="INFO", format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("httpx2").setLevel("WARNING")  # else a line for each completion


@contextmanager
def _checked(recipe: Path, overrides: Set, only: bool, kind: type[R]) -> Iterator[R]:
    """The recipe, checked against the model and this machine, for a run of it, or `only` for a
    check of what else it names; says how that has ended."""
    _log_to_terminal()
    from trainer.config import ConfigError, load_recipe

    try:
        read = load_recipe(recipe, overrides or [], kind)  # before torch, which takes seconds
        from trainer.memory import preflight

        estimate = preflight(read, int(os.environ.get("WORLD_SIZE", "1")))
    except ConfigError as error:
        if not _first():
            # torchrun ends all as soon as one has ended: the first is to say why.
            time.sleep(SPEAKS_WITHIN_S)
            raise typer.Exit(CANNOT_RUN) from error
        fail(str(error))
    with _explained():
        try:
            yield read
        except KeyboardInterrupt:
            if _first() and not only:
                _say("stopped; the same command goes on from the newest checkpoint")
            raise typer.Exit(STOPPED) from None
    if _first() and only:
        print(f"{recipe}: can run; memory of one process at its fullest:\n{estimate.table()}")
    elif _first():
        _say(f"done; see it: touchstone-train report {read.run.dir}")


def _check_dtype(dtype: str) -> None:
    if dtype not in ("float32", "bfloat16"):
        fail(f"--dtype: float32 or bfloat16, got {dtype!r}")


def _first() -> bool:
    """Whether this process speaks for all that torchrun has started."""
    return os.environ.get("RANK", "0") == "0"


def _say(message: str) -> None:
    errors.print(message, markup=False, highlight=False, soft_wrap=True)


@app.command()
def sample(
    model: Annotated[Path, typer.Argument(help="Hugging Face directory.")],
    prompts: Annotated[
        list[str], typer.Argument(help="What to ask; - for standard input's lines.")
    ],
    samples: Annotated[int, typer.Option(min=1, help="Completions of each prompt.")] = 1,
    template: Annotated[
        str, typer.Option(help="none, r1_zero, chat, or a text with {prompt} in it.")
    ] = "r1_zero",
    temperature: Annotated[float, typer.Option(min=0, help="0: the likeliest token.")] = 1.0,
    top_p: Annotated[float, typer.Option(help="Nucleus, above 0, at most 1.")] = 1.0,
    max_new_tokens: Annotated[
        int | None, typer.Option(min=1, help="Longest completion; default: 512, if they fit.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 0,
    dtype: Annotated[str, typer.Option(help="float32 or bfloat16.")] = "float32",
) -> None:
    """Print completions of a model, as the embedded engine samples them."""
    _check_dtype(dtype)
    if not 0 < top_p <= 1:
        fail(f"--top-p: above 0, at most 1, got {top_p}")
    import torch

    from trainer.collect import check_finite, seed_of
    from trainer.data import render
    from trainer.log import visible
    from trainer.rollout.embedded import EmbeddedEngine
    from trainer.rollout.engine import Request, Sampling
    from trainer.tokens import Tokenizer
    from trainer.weights import load_model

    if (model / "checkpoints").is_dir() or (model / "state.json").exists():
        fail(f"{model}: make a model of it first: touchstone-train export {model} DIRECTORY")
    if prompts == ["-"]:
        prompts = [line for line in sys.stdin.read().splitlines() if line.strip()]
        if not prompts:
            fail("prompts: no lines at standard input")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with _explained(OSError, ValueError):
        tokenizer = Tokenizer(model)
        decoder = load_model(model, dtype=getattr(torch, dtype), device=device)
        tokenizer.check(decoder.config.vocab_size)
        encoded = [tokenizer.encode(render(prompt, template, tokenizer)) for prompt in prompts]
        stop = tokenizer.stop_token_ids
    if not all(encoded):
        fail(f"prompts: no tokens come of {prompts[encoded.index(())]!r}")
    room = decoder.config.max_positions - max(map(len, encoded))
    most = max_new_tokens or max(1, min(512, room))
    if most > room:
        fail(f"--max-new-tokens: the model has {room} positions left, got {most}")
    engine = EmbeddedEngine(decoder, rows=len(prompts) * samples, shared=True)
    requests = [
        Request(ids, seed_of(seed, place, number))
        for place, ids in enumerate(encoded)
        for number in range(samples)
    ]
    sampling = Sampling(most, temperature, top_p, stop_token_ids=stop)
    came = dict(engine.generate(requests, sampling))
    with _explained():
        for index, completion in came.items():
            check_finite(completion, prompts[index // samples])
    for index, completion in sorted(came.items()):
        prompt = visible(prompts[index // samples])[:60]
        print(f"--- {prompt}: {len(completion.ids)} tokens, {completion.finish}")
        print(visible(tokenizer.decode(completion.ids)))


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="The directory of a run.")],
    against: Annotated[Path | None, typer.Option(help="Another run beside it.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="The page; default: report.html in the run.")
    ] = None,
) -> None:
    """Make one HTML page of a run: its curves, and what it wrote."""
    from trainer.log import RunError
    from trainer.report import load, render

    output = output or run / "report.html"
    try:
        output.write_text(render(load(run), load(against) if against else None), "utf-8")
    except (RunError, OSError) as error:
        fail(str(error))
    _say(str(output))


@app.command()
def export(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint, or a run: its newest one.")],
    output: Annotated[Path, typer.Argument(help="The directory to write; must not exist.")],
    model: Annotated[
        Path | None, typer.Option(help="Where the run's model lies now, if it has moved.")
    ] = None,
    dtype: Annotated[str, typer.Option(help="float32 or bfloat16.")] = "bfloat16",
) -> None:
    """Write a checkpoint's model as a Hugging Face directory, with its tokenizer; a reward model
    as one for sequence classification."""
    _check_dtype(dtype)
    if output.exists():
        fail(f"{output}: exists already")
    import torch

    from trainer.checkpoint import read_state, steps, weights
    from trainer.log import writing
    from trainer.model import Decoder
    from trainer.scorer import blank_scorer
    from trainer.weights import read_config, save_model

    if saved := steps(checkpoint / "checkpoints"):
        checkpoint = checkpoint / "checkpoints" / f"step-{saved[-1]:08d}"
    with _explained(OSError, ValueError):
        state = read_state(checkpoint)
        source = model or Path(str(state.get("model")))
        if state.get("kind") == "reward-model":
            decoder: Decoder = blank_scorer(source)
        else:
            decoder = Decoder(read_config(source), dtype=torch.float32, seed=None)
        held = dict(decoder.named_parameters())
        for name, tensor in weights(checkpoint):
            if name not in held or held[name].shape != tensor.shape:
                fail(f"{checkpoint}: {name} {list(tensor.shape)} has no place in {source}")
            held.pop(name).data.copy_(tensor)
        if held:
            fail(f"{checkpoint}: holds no {', '.join(held)}")
        with writing(output):
            save_model(decoder, output, tokenizer_from=source, dtype=getattr(torch, dtype))
    _say(f"{output}: the model after {state['step']} step{'s' * (state['step'] != 1)}")


@app.command()
def fields(
    kind: Annotated[str, typer.Argument(help="grpo, sft, reward-model or pipeline.")] = "grpo",
) -> None:
    """Print all keys of a recipe, with defaults, as a table of Markdown."""
    from trainer.config import GrpoConfig, RewardModelConfig, Section, SftConfig
    from trainer.describe import table, tables

    recipes: dict[str, type[Section]] = {
        "grpo": GrpoConfig,
        "sft": SftConfig,
        "reward-model": RewardModelConfig,
    }
    if kind in recipes:
        print(table(recipes[kind]))
    elif kind == "pipeline":
        from trainer.pipeline.config import PipelineConfig, kinds

        print(f"{table(PipelineConfig)}\n\n{tables(kinds())}")
    else:
        fail(f"one of {', '.join(recipes)}, pipeline, got {kind!r}")


def main() -> None:
    """Entry point of the console command `touchstone-train`."""
    try:
        app()
    except BrokenPipeError:
        sys.exit(CANNOT_RUN)


if __name__ == "__main__":
    main()
