"""What both trainers of the training benchmark are told, and how both are measured.

    python -m tests.bench.training_case DIRECTORY HIDDEN LAYERS ...      writes a random model

The peer has an interpreter and libraries of its own, so only that command needs more than the
standard library.
"""

from __future__ import annotations

import json
import math
import random
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import NormalDist, median
from typing import Any

GIB = 2**30
VOCABULARY = 512
PROMPT_TOKENS = 16
END, PADDING = 0, 1
LANGUAGES = ("el", "ko")
MEAN_LENGTH, LONGEST, SIGMA = 64, 512, 1.0
"""Of the long-tailed lengths: log-normal with this mean before the cap, in tokens."""


def vocabulary(size: int = VOCABULARY) -> list[str]:
    """Two special tokens, then Greek words and Korean ones by turns. No other language has their
    scripts, so each is a word of its own language to the verifier, whatever stands beside it: a
    completion's reward is exactly the share of its tokens."""
    letters = "αβγδεζηθικλμνξοπρστυφχψω"
    words = []
    for n in range((size - 1) // 2):
        words += [letters[n // 24] + letters[n % 24] + "ε", 2 * chr(0xAC00 + n)]
    return ["<0>", "<1>", *words[: size - 2]]  # without letters: no words to the service


def language_of(token: int) -> str | None:
    return LANGUAGES[token % 2] if PADDING < token < VOCABULARY else None


def share(ids: Sequence[int], language: str) -> float:
    """What the service's language part says of these tokens as text."""
    counted = Counter(map(language_of, ids))
    words = sum(counted[name] for name in LANGUAGES)
    return counted[language] / words if words else 0.0


@dataclass(frozen=True)
class Case:
    """One run of one trainer."""

    model: str
    data: str
    """JSON Lines in the verifier's mapping of items, in the order in which prompts are used."""
    dtype: str
    kl_coef: float
    long_tailed: bool
    micro_batch: int
    """Completions in one forward and backward pass; ours packs as many tokens as they have when
    all are of equal length."""
    steps: int
    warm_up: int = 1
    """Steps at the start that are not counted."""
    prompts: int = 64
    group: int = 8
    tokens: int = 64
    """Of every completion, unless they are long-tailed."""
    lr: float = 1e-4
    seed: int = 1
    threads: int = 2

    @property
    def completions(self) -> int:
        return self.prompts * self.group

    @property
    def longest(self) -> int:
        return LONGEST if self.long_tailed else self.tokens

    def lengths(self, step: int) -> list[int]:
        """Of the step's completions: by prompt, then by sample."""
        if not self.long_tailed:
            return [self.tokens] * self.completions
        draws = random.Random(f"{self.seed} {step}")
        normal = NormalDist(math.log(MEAN_LENGTH) - SIGMA**2 / 2, SIGMA)
        drawn = (math.exp(normal.inv_cdf(draws.random() or 0.5)) for _ in range(self.completions))
        return [min(LONGEST, max(1, round(length))) for length in drawn]

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in Path(self.data).read_text().splitlines()]


def write_data(path: Path, rows: int, seed: int) -> None:
    """Prompts whose first token's language is the one that the completion should be in."""
    draws, words = random.Random(seed), vocabulary()
    with path.open("w") as file:
        for n in range(rows):
            language = LANGUAGES[n % 2]
            first = draws.randrange(PADDING + 1 + n % 2, VOCABULARY, 2)
            assert language_of(first) == language
            rest = [draws.randrange(PADDING + 1, VOCABULARY) for _ in range(PROMPT_TOKENS - 1)]
            row = {
                "id": str(n),
                "prompt": " ".join(words[token] for token in (first, *rest)),
                "language": language,
                "math": {"gold": ["1"]},  # an item has a task; its part has no weight
                "inline_recipe": {"parts": [{"name": "language", "weight": 1.0}]},
            }
            file.write(json.dumps(row) + "\n")


def write_model(
    directory: Path,
    hidden: int,
    layers: int,
    head: int = 32,
    kv_heads: int = 0,
    intermediate: int = 0,
    vocabulary_size: int = VOCABULARY,
) -> None:
    """A random Qwen2 and a tokenizer of whole words, as a Hugging Face directory; the model may
    have more tokens than there are words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=vocabulary_size,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // head,
        num_key_value_heads=kv_heads or hidden // head // 2,
        intermediate_size=intermediate or 4 * hidden,
        max_position_embeddings=2 * (PROMPT_TOKENS + LONGEST),
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=END,
        pad_token_id=PADDING,
    )
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        Qwen2ForCausalLM(config).save_pretrained(directory)
    words = vocabulary()
    ids = {word: token for token, word in enumerate(words)}
    fast = Tokenizer(models.WordLevel(ids, unk_token=words[PADDING]))
    fast.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(
        tokenizer_object=fast, eos_token=words[END], pad_token=words[PADDING]
    ).save_pretrained(directory)


@dataclass(frozen=True)
class Measured:
    """Medians over the counted steps; memory of the whole process."""

    step_s: float
    cpu_s: float
    """Of all processes of this side."""
    phases: dict[str, float]
    """Wall seconds of a step by what was done."""
    completions_per_s: float
    tokens_per_s: float
    """New tokens."""
    peak_gib: float
    rewards: list[float]
    """Mean reward of every step, warm-up included."""
    tokens: int
    """New tokens of all steps."""
    extra: dict[str, float] = field(default_factory=dict)

    def dump(self) -> str:
        return json.dumps(asdict(self))


class Meter:
    """Wall and CPU time step by step, told by the trainer's own hooks."""

    def __init__(self, case: Case, cpu: Callable[[], float] = time.process_time) -> None:
        self._case, self._cpu = case, cpu
        self._marks = list[tuple[float, float]]()
        self._phases = [defaultdict[str, float](float)]
        self.rewards = list[float]()
        self.tokens = list[int]()

    def start(self) -> None:
        self._marks.append((time.perf_counter(), self._cpu()))

    def step_ends(self, rest: str = "") -> None:
        """`rest` names the part of the step that was in no phase."""
        self._marks.append((time.perf_counter(), self._cpu()))
        if rest:
            step = self._marks[-1][0] - self._marks[-2][0]
            self._phases[-1][rest] = step - sum(self._phases[-1].values())
        self._phases.append(defaultdict(float))

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self._phases[-1][name] += time.perf_counter() - began

    def timed(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            with self.phase(name):
                return work(*args, **kwargs)

        return call

    def note(self, phases: Sequence[dict[str, float]], rewards: Sequence[float]) -> None:
        """What a trainer's own log says of each step."""
        self._phases = [defaultdict(float, found) for found in phases]
        self.rewards = list(rewards)

    def result(self, **extra: float) -> Measured:
        first = self._case.warm_up
        marks = list(zip(self._marks, self._marks[1:], strict=False))[first:]
        wall = median(after[0] - before[0] for before, after in marks)
        counted = self._phases[first : first + len(marks)]
        names = sorted({name for phases in counted for name in phases})
        return Measured(
            step_s=wall,
            cpu_s=median(after[1] - before[1] for before, after in marks),
            phases={name: median(phases[name] for phases in counted) for name in names},
            completions_per_s=self._case.completions / wall,
            tokens_per_s=median(self.tokens[first:]) / wall,
            peak_gib=peak_bytes() / GIB,
            rewards=self.rewards,
            tokens=sum(self.tokens),
            extra=dict(extra),
        )


def peak_bytes() -> int:
    """Of the CUDA device, as its allocator saw it, or of the whole process without one."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    write_model(Path(sys.argv[1]), *map(int, sys.argv[2:]))
