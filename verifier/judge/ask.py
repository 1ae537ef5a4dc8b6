"""What is asked of a judge model, what it answers, and how asking fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["timeout", "rate_limited", "server", "budget", "breaker", "refused", "garbage"]
"""Why there is no answer: none in time; 429 to the last; 5xx or a broken connection; a cap on
spend; every endpoint out of use; the request or the model's answer refused; no chat completion."""


Place = tuple[str, str]
"""Where an answer comes from: an endpoint's URL, and its model there."""


@dataclass(frozen=True)
class Message:
    role: str
    content: str


@dataclass(frozen=True)
class Ask:
    """One question. Equal ones have one answer, so samples differ by their `seed`."""

    messages: tuple[Message, ...]
    schema: Mapping[str, object] | None = None
    """JSON schema that the answer should follow; enforced where the endpoint can."""
    labels: tuple[str, ...] = ()
    """Answers of a single token each, whose log-probabilities are wanted; in place of a schema."""
    max_tokens: int = 1024
    temperature: float = 0.0
    seed: int = 0
    apart_from: frozenset[Place] = frozenset()
    """Places whose answers are not wanted, kept ones included; never all that there are."""
    fresh: bool = False
    """No kept answer will do."""


@dataclass(frozen=True)
class Answer:
    """What the model said, word for word."""

    text: str
    logprobs: Mapping[str, float] | None
    """Natural log-probability by label, at the first token that is not blank. Labels that the
    endpoint did not list are missing; None where it listed none."""
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    """0 for a cached answer."""
    cached: bool
    """Nothing was sent: it was kept from before, or an equal question was being asked."""
    model: str
    endpoint: str
    finish: str
    """The endpoint's finish reason: "length" where the text was cut off."""

    @property
    def place(self) -> Place:
        return self.endpoint, self.model


class JudgeFailed(Exception):
    """There is no answer; never to be taken for a low score.

    `cut` tells that the caller's deadline ended it: with more time there might be one.
    """

    def __init__(
        self,
        kind: Kind,
        why: str,
        endpoint: str = "",
        status: int | None = None,
        attempts: int = 0,
        cut: bool = False,
    ) -> None:
        super().__init__(kind, why, endpoint, status, attempts, cut)
        self.kind, self.why, self.endpoint = kind, why, endpoint
        self.status, self.attempts, self.cut = status, attempts, cut

    def __str__(self) -> str:
        status = "" if self.status is None else f", status {self.status}"
        tried = f"{self.attempts} attempt{'' if self.attempts == 1 else 's'}"
        return f"judge {self.endpoint or '(no endpoint)'}: {self.kind}{status}, {tried}: {self.why}"
