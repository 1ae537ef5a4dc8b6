"""Models that answer: anything behind this one protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from evals.benchmark import Message


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn; the same seed should give the same text, as far as a server keeps
    that."""

    temperature: float
    top_p: float
    max_tokens: int
    seed: int
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reply:
    """A whole answer of a model."""

    response: str
    finish: Literal["stop", "length"]
    reasoning: str = ""
    """Thinking that the endpoint returned apart."""
    prompt_tokens: int = 0
    completion_tokens: int = 0


class ModelError(Exception):
    """No answer, after all tries: what the endpoint said last."""


class Refused(ModelError):
    """This conversation, by an endpoint that is there: too long, or withheld."""


class NoLogprobs(ModelError):
    """It answers, but tells no log-probabilities."""


class Model(Protocol):
    """Answers conversations; may be asked many times at once."""

    name: str

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Reply:
        """Raises ModelError."""

    async def close(self) -> None:
        """Ends connections."""
