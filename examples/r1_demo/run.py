"""`make r1-demo`: DeepSeek-R1's pipeline from nothing, on two CPU cores.

    corpus        problems and requests in two languages, most of them answered badly (world.py)
    pretraining   base (0.8 million parameters) reads it, and small (0.2 million) a quarter of it
    the judge     a stand-in for a large model, over HTTP (judge.py)
    the pipeline  r1.toml: R1-Zero, cold start, Dev1, Dev2, rejection sampling, Dev3, reward models,
                  R1, the distilled small model, and its control

Ends with the stage table over held-out problems and one line of JSON. The same command goes on with
what was broken off. `--scale ci` only shows that everything runs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Annotated, Any

import judge
import torch
import typer
import vocabulary
import world
from rich.console import Console
from tokenizers import Tokenizer

from trainer.data import TEMPLATES
from trainer.log import read_metrics
from trainer.model import Decoder, ModelConfig
from trainer.monitor import FLAGGED, PREFERENCE, RULES
from trainer.pipeline import figures, statements
from trainer.pipeline.stage import ends_with
from trainer.weights import load_model, save_model

HERE = Path(__file__).resolve().parent
JUDGE_PORT = 8642
"""As r1.toml has it."""

SHAPE = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 128,
    "intermediate_size": 384,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 1024,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
    "hidden_act": "silu",
    "initializer_range": 0.05,
    "torch_dtype": "float32",
}
SMALLER = {
    "hidden_size": 64,
    "intermediate_size": 192,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
}

SHAPES = {"base": SHAPE, "small": SHAPE | SMALLER}
READS = {"base": 1.0, "small": 0.25}
"""Of the corpus."""
BATCH = 48
"""As pretrain.toml has it."""

out = Console(highlight=False)


class Scale(StrEnum):
    full = "full"
    ci = "ci"


ROWS = {Scale.full: 72_000, Scale.ci: 14_400}
"""Of the corpus."""
PROBLEMS = {Scale.full: 220, Scale.ci: 24}
"""Of each domain to practise on."""
COLD = {Scale.full: 100, Scale.ci: 10}
"""Of each domain for the cold start."""
BY_HAND = {Scale.full: 12, Scale.ci: 8}
HELD_OUT = {Scale.full: 40, Scale.ci: 4}
"""Of each domain for the table."""
CURVE = {Scale.full: 10, Scale.ci: 2}
"""Of each domain for evaluations between steps."""
TIMES = {Scale.full: 3, Scale.ci: 3}
"""Each of the user's requests."""
REQUESTS = {Scale.full: 1000, Scale.ci: 32}
"""At most, of each kind."""
IN_CI = {
    "stages.zero.set.run.steps": 2,
    "stages.dev2.set.run.steps": 2,
    "stages.r1.set.run.steps": 3,
    "stages.r1.later_from": 1,
    "stages.control.set.run.steps": 2,
    "stages.too_long.set.run.steps": 2,
    "stages.curated.ratio": 0,
    "stages.helpful_model.set.data.epochs": 1,
    "stages.safe_model.set.data.epochs": 1,
    "stages.table.sampling.samples": 1,
}
"""What `--scale ci` sets."""
POLITE = 0.3
"""Of the user's answers."""


def write_data(folder: Path, scale: Scale, seed: int) -> None:
    """All files that r1.toml names under [data]."""
    random = Random(seed)
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)

    def put(name: str, rows: Any) -> None:
        world.write(data / f"{name}.jsonl", rows)

    put("corpus", ({"text": text} for text in world.corpus(ROWS[scale], random)))
    put("problems", world.items("rl", PROBLEMS[scale], "r1_reasoning", random))
    put("cold", world.items("rl", COLD[scale], "r1_reasoning", random))
    put("examples", world.examples(1, random))
    put("by_hand", world.by_hand(BY_HAND[scale], random))
    put("user", world.user_rows(POLITE, TIMES[scale], random))
    most = REQUESTS[scale]
    put("helpful", world.general_items("rl", False, most, random))
    put("harmless", world.general_items("rl", None, most, random))
    put("requests", world.general_items("rl", None, most, random, rate=True, times=6))
    put("favours", world.general_items("rl", False, most, random, rate=True))
    put("held_out", world.items("held_out", CURVE[scale], "r1_reasoning", random))
    for domain, rows in world.by_domain("held_out", HELD_OUT[scale], random).items():
        put(f"held_{domain}", rows)
    put("held_helpful", world.general_items("held_out", False, most, random))
    put("held_harmless", world.general_items("held_out", True, most, random))


def pretrain(folder: Path, name: str, rows: int, seed: int, threads: int) -> None:
    """A base model that has read so many rows of the corpus."""
    start, run = folder / f"{name}-untrained", folder / f"{name}-pretraining"
    untrained(start, SHAPES[name], seed)
    command(
        "sft", HERE / "pretrain.toml",
        model__path=start, data__path=folder / "data" / "corpus.jsonl",
        run__dir=run, run__seed=seed, run__threads=threads, run__steps=rows // BATCH,
    )  # fmt: skip
    draft = folder / f".{name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    command("export", run, draft, "--dtype", "float32")
    acquaint(draft)
    draft.rename(folder / name)


def acquaint(directory: Path) -> None:
    """Lets the chat template's marks, which the corpus does not have, begin as what they stand for
    in R1-Zero's template: fine-tuning starts from a model that can tell a question."""
    text = Tokenizer.from_file(str(directory / "tokenizer.json"))
    decoder = load_model(directory, dtype=torch.float32)
    before, after = TEMPLATES["r1_zero"].split("{prompt}")
    with torch.no_grad():
        known = decoder.model.embed_tokens.weight
        for mark, phrase in ((vocabulary.USER, before), (vocabulary.ASSISTANT, after)):
            known[text.token_to_id(mark)] = known[text.token_to_id(phrase)]
    save_model(decoder, directory, tokenizer_from=directory)


def untrained(directory: Path, shape: dict[str, Any], seed: int) -> None:
    """A model that has read nothing, and the tokenizer."""
    text = vocabulary.save(directory)
    sizes = {
        "vocab_size": text.get_vocab_size(),
        "eos_token_id": text.token_to_id(vocabulary.END),
    }
    save_model(Decoder(ModelConfig.from_hf(shape | sizes), seed=seed), directory)


def overrides(scale: Scale, seed: int, threads: int) -> list[str]:
    """What the pipeline is told on top of r1.toml."""
    told = {"pipeline.seed": seed, "pipeline.threads": threads}
    told |= IN_CI if scale is Scale.ci else {}
    return [f"{key}={value}" for key, value in told.items()]


def command(*words: str | Path, **settings: object) -> None:
    """Runs `touchstone-train` as a user would; `a__b=c` is `--set a.b=c`."""
    told = [f"{key.replace('__', '.')}={value}" for key, value in settings.items()]
    line = [str(word) for word in (*words, *(part for one in told for part in ("--set", one)))]
    out.print(f"\n[bold]touchstone-train {' '.join(line)}[/]", soft_wrap=True)
    whole = [sys.executable, "-m", "trainer.cli", *line]
    # Ended with this process, however that goes: the judge is in it.
    done = subprocess.run(whole, check=False, preexec_fn=ends_with(os.getpid()))
    if done.returncode:
        raise typer.Exit(done.returncode)


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Adds what the block takes."""
    began = time.monotonic()
    yield
    seconds[name] = round(time.monotonic() - began, 1)


def recipe(folder: Path, port: int = JUDGE_PORT) -> Path:
    """r1.toml with this folder, this place of the examples, and the judge's port."""
    text = (HERE / "r1.toml").read_text("utf-8")
    text = text.replace("build/r1-demo", str(folder)).replace("examples/r1_demo", str(HERE))
    path = folder / "r1.toml"
    path.write_text(text.replace(":8642/", f":{port}/"), "utf-8")
    endpoint = f'[[endpoints]]\nurl = "http://127.0.0.1:{port}/v1"\nmodel = "stand-in"\n'
    (folder / "judge.toml").write_text(endpoint, "utf-8")
    return path


def main(
    folder: Annotated[Path, typer.Argument(help="Where all files go.")] = Path("build/r1-demo"),
    scale: Annotated[
        Scale, typer.Option(help="full, or ci: everything runs, nothing is learnt.")
    ] = Scale.full,
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is drawn.")] = 1,
    threads: Annotated[int, typer.Option(min=1, help="Of one process.")] = 1,
    judge_port: Annotated[
        int, typer.Option(help="Of the stand-in; the same when going on.")
    ] = JUDGE_PORT,
) -> None:
    """Data, base models, judge, pipeline, table."""
    folder.mkdir(parents=True, exist_ok=True)
    seconds: dict[str, float] = {}
    with timed(seconds, "data"):
        if not (folder / "base").exists():
            write_data(folder, scale, seed)
    with timed(seconds, "pretraining"), ThreadPoolExecutor() as side_by_side:
        missing = [name for name in SHAPES if not (folder / name).exists()]
        waiting = [
            side_by_side.submit(pretrain, folder, n, int(ROWS[scale] * READS[n]), seed, threads)
            for n in missing
        ]
        for one in waiting:
            one.result()
    words = [word for one in overrides(scale, seed, threads) for word in ("--set", one)]
    with timed(seconds, "pipeline"), stand_in(judge_port):
        command("pipeline", recipe(folder, judge_port), *words)
    stages = folder / "stages"
    table = json.loads((stages / "table" / "table.json").read_text("utf-8"))
    said = statements.check([figures.from_json(table)])
    out.print((stages / "table" / "table.md").read_text("utf-8"), soft_wrap=True)
    if scale is Scale.full:
        out.print(statements.markdown(said), soft_wrap=True)
    out.print(f"stages, curves and what was rejected: {stages / 'pipeline.html'}")
    found = {
        "scale": scale,
        "seed": seed,
        "came_out": sum(one.came_out is True for one in said),
        "statements": len(said),
        "table": table,
        "zero": curve(stages / "zero" / "run", RULES, "eval/length", "eval/text/reflection"),
        "too_long": curve(stages / "too_long" / "run", PREFERENCE, RULES, FLAGGED),
        "curated": curated(stages / "curated"),
        "seconds": seconds | {"in_all": round(sum(seconds.values()), 1)},
    }
    print(json.dumps(found))


def stand_in(port: int) -> judge.StandIn:
    """The judge at this port, which is part of what the stages are made from."""
    try:
        return judge.StandIn(port)
    except OSError as error:
        out.print(f"--judge-port: 127.0.0.1:{port}: {error.strerror}")
        raise typer.Exit(2) from error


def curve(run: Path, *keys: str) -> dict[str, list[tuple[int, float]]]:
    """Of each figure its steps and values, where it was measured."""
    lines = read_metrics(run)
    return {
        key: [(int(line["step"] or 0), round(line[key] or 0.0, 4)) for line in lines if key in line]
        for key in keys
    }


def curated(stage: Path) -> dict[str, float]:
    """What rejection sampling kept, and how quickly it was verified."""
    counts = json.loads((stage / "counts.json").read_text("utf-8"))
    timing = json.loads((stage / "timing.json").read_text("utf-8"))
    kept = {name: counts[name] for name in ("sampled", "right", "kept", "yield")}
    return kept | {"verified_per_s": timing.get("samples_per_s", 0.0)}


if __name__ == "__main__":
    typer.run(main)
