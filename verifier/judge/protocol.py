"""The words of an OpenAI-compatible chat endpoint. Pure; nothing that a server sends is trusted.

Not covered: streamed answers, tools, several choices, content in parts.

The engines' own parameters for labels are sent in all of their forms, for their servers ignore
unknown ones: vLLM's `guided_choice` until 0.11, `structured_outputs` since; SGLang's `regex`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any

from verifier.judge.ask import Ask
from verifier.judge.settings import Structured

TOP_LOGPROBS = 20
"""Tokens listed at each place: the most that OpenAI and, by default, vLLM give."""

MOST_TOKENS = 10**9
"""A larger usage is a server's mistake, and would not fit in the tables."""

MOST_NATS = 1e6
"""Of a log-probability, either sign; what is beyond is none."""

SHOWN_CHARS = 300
"""What an error keeps of a server's answer."""


class Extra(Enum):
    """A parameter that not every endpoint takes."""

    STRUCTURED = "structured output"
    LOGPROBS = "log-probabilities"


_NAMES: dict[Extra, tuple[bytes, ...]] = {
    Extra.STRUCTURED: (
        b"response_format",
        b"schema",
        b"guided",
        b"structured",
        b"grammar",
        b"regex",
    ),
    Extra.LOGPROBS: (b"logprobs",),
}


class Unusable(Exception):
    """What came back is no chat completion, or one without an answer."""

    def __init__(self, why: str, usage: tuple[int, int] | None, refused: bool = False) -> None:
        super().__init__(why)
        self.usage, self.refused = usage, refused


@dataclass(frozen=True)
class Packed:
    """A question, serialised once for all endpoints."""

    messages: bytes
    digest: bytes
    """Of all that decides the answer, but for the model."""

    def key(self, model: str) -> bytes:
        """What an answer is kept under: SHA-256 of the model's name and the digest."""
        return hashlib.sha256(self.digest + model.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True)
class Reply:
    text: str
    logprobs: Mapping[str, float] | None
    usage: tuple[int, int] | None
    """Prompt and completion tokens; None where the server tells none that can be."""
    finish: str


def pack(ask: Ask) -> Packed:
    messages = json.dumps(
        [{"role": message.role, "content": message.content} for message in ask.messages]
    ).encode()
    rest = [ask.schema, ask.labels, ask.max_tokens, float(ask.temperature), ask.seed]
    # The order of a schema's keys is kept: an enforced answer is written in it.
    digest = hashlib.sha256(json.dumps(rest).encode() + b"\n" + messages)
    return Packed(messages, digest.digest())


def wanted(ask: Ask, structured: Structured) -> frozenset[Extra]:
    """The extra parameters that the question has use for."""
    form = structured == "guided_choice" if ask.labels else ask.schema is not None
    form = form and structured != "none"
    found = {Extra.STRUCTURED: form, Extra.LOGPROBS: bool(ask.labels)}
    return frozenset(extra for extra, use in found.items() if use)


def body(packed: Packed, ask: Ask, model: str, extras: frozenset[Extra]) -> bytes:
    """A request with these extra parameters."""
    rest: dict[str, object] = {
        "model": model,
        "max_tokens": ask.max_tokens,
        "temperature": ask.temperature,
        "seed": ask.seed,
    }
    if Extra.LOGPROBS in extras:
        rest |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
    if Extra.STRUCTURED in extras and ask.labels:
        labels = list(ask.labels)
        rest |= {"guided_choice": labels, "structured_outputs": {"choice": labels}}
        rest["regex"] = "|".join(map(re.escape, labels))
    elif Extra.STRUCTURED in extras:
        form = {"name": "verdict", "schema": ask.schema, "strict": True}
        rest["response_format"] = {"type": "json_schema", "json_schema": form}
    return b'{"messages": ' + packed.messages + b", " + json.dumps(rest).encode()[1:]


def blamed(refusal: bytes, extras: frozenset[Extra]) -> frozenset[Extra]:
    """Which extra parameters a refusal names."""
    said = refusal.lower()
    return frozenset(extra for extra in extras if any(name in said for name in _NAMES[extra]))


def read(raw: bytes, labels: tuple[str, ...]) -> Reply:
    """The answer in a body of status 200. Raises Unusable."""
    try:
        whole = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Unusable(f"no JSON ({error}): {shown(raw)}", None) from error
    usage = _usage(_table(whole).get("usage"))
    choices = _list(_table(whole).get("choices"))
    if not choices:
        raise Unusable(f"no choices: {shown(raw)}", usage)
    choice = _table(choices[0])
    message = _table(choice.get("message"))
    finish = choice.get("finish_reason")
    finish = finish if isinstance(finish, str) else ""
    refusal = message.get("refusal")
    if finish == "content_filter" or (isinstance(refusal, str) and refusal):
        said = legible(str(refusal)[:SHOWN_CHARS])
        raise Unusable(f"the model refused: {said}", usage, refused=True)
    text = message.get("content")
    if finish == "length" and not text:
        text = ""  # cut off in thought, which the server keeps apart: more of the same is no use
    elif not isinstance(text, str) or not text.strip():
        raise Unusable(f"no text (finish_reason {finish[:SHOWN_CHARS]!r}): {shown(raw)}", usage)
    return Reply(text, _logprobs(choice.get("logprobs"), labels), usage, finish)


def shown(raw: bytes) -> str:
    """The start of a body, for a person."""
    return raw[:SHOWN_CHARS].decode("utf-8", "replace")


def legible(text: str) -> str:
    """Without halves of surrogate pairs, which JSON can spell and no message can hold."""
    return text.encode("utf-8", "replace").decode()


def retry_after(header: str | None, now: datetime | None = None) -> float:
    """The seconds that a Retry-After header asks for, 0 where it says nothing that can be read."""
    text = (header or "").strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _usage(value: object) -> tuple[int, int] | None:
    usage = _table(value)
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not (_count(prompt) and _count(completion)):
        return None
    return int(str(prompt)), int(str(completion))


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS


def _logprobs(value: object, labels: tuple[str, ...]) -> dict[str, float] | None:
    """By label, tokens that differ only in blanks added up."""
    if not labels:
        return None
    places = (_table(place) for place in _list(_table(value).get("content")))
    first = next((place for place in places if str(place.get("token", "")).strip()), {})
    shares: dict[str, float] = {}
    for each in _list(first.get("top_logprobs")):
        token, logprob = _table(each).get("token"), _table(each).get("logprob")
        label = token.strip() if isinstance(token, str) else ""
        if not isinstance(logprob, int | float) or isinstance(logprob, bool):
            continue
        if label in labels and abs(logprob) < MOST_NATS:
            shares[label] = shares.get(label, 0.0) + math.exp(min(0.0, logprob))
    return {label: math.log(share) for label, share in shares.items() if share > 0} or None
