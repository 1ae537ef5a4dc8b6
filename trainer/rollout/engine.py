"""What every rollout engine does, and the words for it.

Token ids go in and token ids come out: no text is tokenised twice, so a completion is trained on
exactly as it was sampled. Weights go in as whole tensors under their Hugging Face names.

Invariants: each request gets exactly one completion, or `generate` raises `EngineError`; the
log-probabilities are those of the distribution that was sampled from; a completion says which
version of the weights made which of its tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from torch import Tensor

Finish = Literal["stop", "length", "abort"]


class EngineError(Exception):
    """A rollout engine is dead or refuses: what was asked of it, and what it said."""


class EngineAway(EngineError):
    """It cannot be reached, now."""


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn, for all requests of one call."""

    max_new_tokens: int
    temperature: float = 1.0
    """Divides the logits; 0 takes the likeliest token."""
    top_p: float = 1.0
    top_k: int = 0
    """0: all of the vocabulary."""
    stop_token_ids: tuple[int, ...] = ()
    """A completion ends with the first of these, which belongs to it."""


@dataclass(frozen=True)
class Request:
    """One completion of one prompt."""

    ids: tuple[int, ...]
    """The prompt, at least one token."""
    seed: int
    """The same seed, prompt, sampling and weights give the same completion on the embedded
    engine; on others as far as they promise it."""
    max_new_tokens: int | None = None
    """Less than the sampling's, for this request alone."""

    def limit(self, sampling: Sampling) -> int:
        """Tokens that it gets at most."""
        return min(self.max_new_tokens or sampling.max_new_tokens, sampling.max_new_tokens)


@dataclass(frozen=True)
class Span:
    """Tokens `start` to `end` (not included) were sampled with this version of the weights."""

    version: int
    start: int
    end: int


@dataclass(frozen=True)
class Completion:
    """What was sampled: N tokens, a stop token included."""

    ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    """[N], natural logarithm, after temperature, top_p and top_k."""
    finish: Finish
    spans: tuple[Span, ...]


class RolloutEngine(Protocol):
    """Generates completions with weights that it is given."""

    @property
    def version(self) -> int:
        """Of the weights in use: what the last `sync` was told."""

    def generate(
        self, requests: Sequence[Request], sampling: Sampling
    ) -> Iterator[tuple[int, Completion]]:
        """Completions as they finish, each with its request's index.

        Raises EngineError. Closing the iterator aborts what is not finished.
        """

    def sync(self, weights: Iterable[tuple[str, Tensor]], version: int) -> None:
        """Takes the weights over: all of them, whole, under their Hugging Face names.

        Raises EngineError; the version then stays what it was.
        """

    def logprobs(self, sequences: Sequence[tuple[int, ...]]) -> list[list[float]]:
        """Log-probability, at temperature 1, of each token but the first given those before it:
        what a sync is checked with."""

    def pause(self) -> None:
        """Stops generating where it is; a sync may follow."""

    def resume(self) -> None:
        """Goes on where `pause` stopped, with the weights as they now are."""

    def close(self) -> None:
        """Lets go of everything."""
