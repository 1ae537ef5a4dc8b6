"""What a request may cost before it is sent, and what it did cost. Exact integers.

Invariant: a day's spend stays under its cap, with any number of requests at once: each is charged
the most that it can cost before it leaves, and gets the rest back when its usage is known. That
holds for endpoints that keep to `max_tokens` and whose tokens are not shorter than a byte. Where
an answer was lost the whole charge stays, for it may have been billed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from verifier.judge.ask import Ask
from verifier.judge.settings import EndpointSettings, JudgeSettings

TEMPLATE_TOKENS = 64
"""What a chat template adds to one message: role marks, and to the first a date or a name."""

NANO = 10**9


@dataclass(frozen=True)
class Spend:
    nano_usd: int = 0
    tokens: int = 0

    @property
    def usd(self) -> float:
        return self.nano_usd / NANO


@dataclass(frozen=True)
class Caps:
    """None: no cap."""

    usd: float | None = None
    tokens: int | None = None

    def passed(self, spend: Spend) -> str:
        """Which cap the spend goes beyond, "" for none."""
        if self.usd is not None and spend.nano_usd > round(self.usd * NANO):
            return f"usd {self.usd:g}"
        if self.tokens is not None and spend.tokens > self.tokens:
            return f"tokens {self.tokens}"
        return ""


def per_call(settings: JudgeSettings) -> Caps:
    return Caps(settings.budget_usd_per_call, settings.budget_tokens_per_call)


def per_day(settings: JudgeSettings) -> Caps:
    return Caps(settings.budget_usd_per_day, settings.budget_tokens_per_day)


def spend(endpoint: EndpointSettings, prompt_tokens: int, completion_tokens: int) -> Spend:
    """What so many tokens cost at an endpoint, rounded up."""
    millionths = (
        prompt_tokens * endpoint.usd_per_million_prompt
        + completion_tokens * endpoint.usd_per_million_completion
    )
    return Spend(math.ceil(millionths * 1_000), prompt_tokens + completion_tokens)


def most(endpoint: EndpointSettings, ask: Ask) -> Spend:
    """The most that one request can cost: no tokenizer in use gives more tokens than bytes."""
    prompt = sum(
        TEMPLATE_TOKENS + len(message.content.encode("utf-8", "replace"))
        for message in ask.messages
    )
    return spend(endpoint, prompt, ask.max_tokens)
