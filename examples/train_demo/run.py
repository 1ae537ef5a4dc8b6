"""`make train-demo`: a model learns to reason from rewards alone, from nothing, on two CPU cores.

    corpus        worked answers to Countdown problems, most of them careless (corpus.py)
    pretraining   a model of 0.7 million parameters reads it: the base model
    GRPO          R1-Zero's template and rewards (accuracy and format, by a running service)
    control       the same for a seventh of the steps with rewards drawn by lot: noise, no signal

Held-out problems are in neither corpus nor prompts. Ends with a table, a page with the curves of
both runs beside each other, and one line of JSON. Exit status 0 only if the base model is right in
at most 40 % of its samples, the trained one in at least 95 %, and the control stays where it was.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Annotated

import corpus
import tokenizer
import typer
from rich.console import Console
from rich.table import Table

from trainer.data import TEMPLATES
from trainer.log import read_metrics
from trainer.model import Decoder, ModelConfig
from trainer.weights import save_model
from verifier.embedded import EmbeddedServer

HERE = Path(__file__).resolve().parent
DRILL = 0.25
"""Of its rows: tables of sums."""
SEED = 1
HEAPS = 3
"""Of the control, into which all values are dealt: a group takes those of one heap for right."""
BASE_AT_MOST, TRAINED_AT_LEAST, FLAT_WITHIN = 0.40, 0.95, 0.10
"""The demo's marks, of sampled accuracy on held-out problems (pass@1)."""

SHAPE = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 128,
    "intermediate_size": 384,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
    "hidden_act": "silu",
    "initializer_range": 0.05,
    "torch_dtype": "float32",
}

out = Console(highlight=False)


def write_data(folder: Path, rows: int, held_out: int) -> None:
    """Corpus, prompts of GRPO and of the control, held-out problems; the untrained model."""
    random, problems, mix = Random(SEED), corpus.problems(), corpus.Mix()
    with (folder / "corpus.jsonl").open("w") as file:
        for _ in range(rows):
            problem = random.choice(problems["corpus"]).shuffled(random)
            asked = TEMPLATES["r1_zero"].replace("{prompt}", problem.prompt)
            answered = asked + corpus.response(problem, mix, random)
            text = corpus.drill(random) if random.random() < DRILL else answered
            file.write(json.dumps({"text": text}) + "\n")
    asked = {
        "rl": [order for problem in problems["rl"] for order in problem.orders()],
        "held_out": [one.shuffled(random) for one in problems["held_out"]][: held_out or None],
    }
    tasks = {name: [(one, one.math()) for one in chosen] for name, chosen in asked.items()}
    # More than its steps use, so that none can be learnt by heart.
    mixed = random.sample(asked["rl"], len(asked["rl"]))
    tasks["control"] = [(one, heap) for one in mixed for heap in dealt(one, random)]
    for name, chosen in tasks.items():
        with (folder / f"{name}.jsonl").open("w") as file:
            for number, (one, task) in enumerate(chosen):
                row = {"id": str(number), "prompt": one.prompt, "math": task, "recipe": "r1_zero"}
                file.write(json.dumps(row) + "\n")
    text = tokenizer.save(folder / "untrained")
    sizes = {
        "vocab_size": text.get_vocab_size(),
        "eos_token_id": text.token_to_id(tokenizer.END),
    }
    decoder = Decoder(ModelConfig.from_hf(SHAPE | sizes), seed=SEED)
    save_model(decoder, folder / "untrained")


def dealt(problem: corpus.Problem, random: Random) -> list[dict[str, object]]:
    """Tasks that stand in for the problem's: of each value that its numbers can make, one of them,
    by lot, says that it is right. So all valid answers earn the same in the mean, whatever was
    asked for, and about as often as the base model is right; side by side in a rollout, the tasks
    leave chance little room to favour one way of answering."""
    values = list(range(-corpus.MOST, 3 * corpus.MOST + 1))
    random.shuffle(values)
    heaps = ([str(value) for value in values[heap::HEAPS]] for heap in range(HEAPS))
    return [problem.math() | {"gold": heap} for heap in heaps]


def command(*words: str | Path, **settings: object) -> None:
    """Runs `touchstone-train` as a user would; `a__b=c` is `--set a.b=c`."""
    told = [f"{key.replace('__', '.')}={value}" for key, value in settings.items()]
    line = [str(word) for word in (*words, *(part for one in told for part in ("--set", one)))]
    out.print(f"\n[bold]touchstone-train {' '.join(line)}[/]", soft_wrap=True)
    subprocess.run([sys.executable, "-m", "trainer.cli", *line], check=True)


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Adds what the block takes."""
    began = time.monotonic()
    yield
    seconds[name] = round(time.monotonic() - began, 1)


def main(
    folder: Annotated[Path, typer.Argument(help="Where all files go; emptied first.")] = Path(
        "build/train-demo"
    ),
    rows: Annotated[int, typer.Option(min=1, help="Of the corpus.")] = 86_400,
    steps: Annotated[int, typer.Option(min=1, help="Of GRPO.")] = 150,
    held_out: Annotated[int, typer.Option(min=0, help="Problems of evaluation; 0: all.")] = 0,
) -> None:
    """Pretrain, reinforce, compare with a control, report."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    seconds: dict[str, float] = {}
    recipe = HERE / "grpo.toml"
    with timed(seconds, "corpus"):
        write_data(folder, rows, held_out)
    with timed(seconds, "pretraining"):
        command(
            "sft", HERE / "pretrain.toml",
            model__path=folder / "untrained", data__path=folder / "corpus.jsonl",
            run__dir=folder / "pretraining",
        )  # fmt: skip
        command("export", folder / "pretraining", folder / "base", "--dtype", "float32")
    with EmbeddedServer("--log-level", "warning", "--sandbox", "none") as service:
        # Neighbours in the control's file belong together, see `dealt`.
        for name, prompts, number, shuffle in (
            ("grpo", "rl", steps, "true"),
            ("control", "control", -(-steps // 7), "false"),
        ):
            with timed(seconds, name):
                command(
                    "grpo", recipe,
                    model__path=folder / "base", data__path=folder / f"{prompts}.jsonl",
                    data__shuffle=shuffle, eval__path=folder / "held_out.jsonl",
                    reward__address=service.address, run__dir=folder / name, run__steps=number,
                )  # fmt: skip
    page = folder / "report.html"
    command("report", folder / "grpo", "--against", folder / "control", "--output", page)
    figures = summary(folder) | {"seconds": seconds, "seconds_in_all": sum(seconds.values())}
    show(figures)
    out.print(f"\ncurves of both runs, and what they wrote: {page}")
    passed = (
        figures["base"]["pass@1"] <= BASE_AT_MOST
        and figures["trained"]["pass@1"] >= TRAINED_AT_LEAST
        and abs(figures["control"]["pass@1"] - figures["base"]["pass@1"]) <= FLAT_WITHIN
    )
    print(json.dumps({"passed": passed, **figures}))
    raise typer.Exit(0 if passed else 1)


def summary(folder: Path) -> dict[str, dict[str, float]]:
    """Held-out figures of the base model, the trained one and the control."""
    curves = {
        name: [line for line in read_metrics(folder / name) if "eval/pass@1" in line]
        for name in ("grpo", "control")
    }
    ends = {
        "base": curves["grpo"][0],
        "trained": curves["grpo"][-1],
        "control": curves["control"][-1],
    }
    return {
        name: {
            short: round(line[key] or 0.0, 4)
            for short, key in (
                ("pass@1", "eval/pass@1"),
                ("majority@16", "eval/majority@16"),
                ("tokens", "eval/length"),
                ("self_check", "eval/text/self_check"),
            )
        }
        for name, line in ends.items()
    }


def show(figures: dict[str, dict[str, float]]) -> None:
    """The table at the end."""
    table = Table(title="held-out problems, 16 samples of each at temperature 1")
    for title in ("", "pass@1", "majority@16", "tokens", "self-checks"):
        table.add_column(title, justify="left" if not title else "right")
    for name, title in (
        ("base", "base model"),
        ("trained", "after GRPO"),
        ("control", "control: rewards drawn by lot"),
    ):
        one = figures[name]
        table.add_row(
            title,
            f"{one['pass@1']:.1%}",
            f"{one['majority@16']:.1%}",
            f"{one['tokens']:.0f}",
            f"{one['self_check']:.0%}",
        )
    out.print(table)


if __name__ == "__main__":
    typer.run(main)
