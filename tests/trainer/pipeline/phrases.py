"""A model whose tokens are whole phrases: what it samples at random is now and then well formed,
right, readable, or all of it. Stages over it, and a process that is killed in one of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

from tests.trainer.support import STOP, TINY
from trainer.model import Decoder, ModelConfig
from trainer.pipeline.config import Stage
from trainer.pipeline.stage import Service, Settings, StageBase, Work
from trainer.weights import save_model

ROOT = Path(__file__).parents[3]
RIGHT = "<think>I add them. Wait, I add them once more.</think>7"
LOOP = "<think>" + "I add them. " * 60 + "</think>7"
PHRASES = (
    RIGHT,
    "<think>Three and four are seven.</think>\\boxed{7}",
    "<think>Three and four, 我想是七,那么答案是七。</think>7",
    "<think>I add them and get eight.</think>8",
    "<think>```print(3 + 4)```</think>7",
    LOOP,
    "7",
)
ZERO = (
    "<think> I add them. </think> <answer> 7 </answer>",
    "<think> Three, 我想是七,那么答案是七。 </think> <answer> 7 </answer>",
    "<think> I add them. </think> <answer> 8 </answer>",
    "<think> I add them. 7",
)


def phrase_model(directory: Path, phrases: Sequence[str]) -> Path:
    """All prompts look alike to it, token by token. After each phrase an end is as likely as one
    more."""
    directory.mkdir(parents=True)
    ends = [STOP, *(f"<|end{n}|>" for n in range(len(phrases) + 1))]
    vocabulary = {text: n for n, text in enumerate([*ends, "?", *phrases])}
    sizes = {"vocab_size": len(vocabulary), "eos_token_id": 0, "initializer_range": 0.02}
    config = ModelConfig.from_hf(TINY | sizes | {"tie_word_embeddings": False})
    save_model(Decoder(config, seed=0), directory)
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens(ends)
    tokenizer.save(str(directory / "tokenizer.json"))
    stops = {"eos_token_id": list(range(len(ends)))}
    (directory / "generation_config.json").write_text(json.dumps(stops))
    return directory


def problems(path: Path, count: int = 12, **more: object) -> Path:
    """Sums that make 7, in English."""
    return write(path, [
        {
            "id": f"sum-{n}", "prompt": f"Lot {n}: how much is 3 + 4?", "language": "en",
            "math": {"gold": ["7"]}, "meta": {"domain": "sums"}, **more,
        }
        for n in range(count)
    ])  # fmt: skip


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@dataclass(frozen=True)
class Case:
    """A stage with its inputs, that another process can run too."""

    table: dict[str, Any]
    inputs: dict[str, Path]
    address: str

    def stage(self) -> StageBase:
        stage: StageBase = TypeAdapter(Stage).validate_json(json.dumps(self.table))
        assert set(stage.references()) == set(self.inputs)
        return stage

    def run(self, directory: Path) -> dict[str, Any]:
        """The stage's figures."""
        settings = Settings(0, "", 1, Service(address=self.address), None)
        return dict(self.stage().run(Work(directory, self.inputs, settings)))

    def killed(self, directory: Path, write: int) -> None:
        """Runs it in a process that is killed in the middle of its n-th write, from 0."""
        told = {
            "table": self.table, "inputs": {k: str(v) for k, v in self.inputs.items()},
            "address": self.address, "directory": str(directory), "write": write,
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "tests.trainer.pipeline.phrases"],
            input=json.dumps(told), text=True, capture_output=True, cwd=ROOT, check=False,
        )  # fmt: skip
        assert done.returncode == -signal.SIGKILL, done.stderr

    def outputs(self, directory: Path) -> dict[str, bytes]:
        stage = self.stage()
        return {
            name: (directory / name).read_bytes() for name in (stage.output, *stage.more_outputs)
        }


def _main() -> None:
    told = json.load(sys.stdin)
    inputs = {name: Path(path) for name, path in told["inputs"].items()}
    left = told["write"]

    def fsync(file: int) -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    os.fsync = fsync  # type: ignore[assignment]
    Case(told["table"], inputs, told["address"]).run(Path(told["directory"]))


if __name__ == "__main__":
    _main()
