"""What a judge is told, read from a TOML file and checked whole before anything starts.

    concurrency = 64
    budget_usd_per_day = 20.0

    [[endpoints]]
    url = "http://localhost:8000/v1"
    model = "deepseek-v3"

    [reward_models.helpful]
    model = "models/helpful"

    [cache]
    path = "judge.sqlite"

A key that is not known is an error, and so is a value of another type than the default's; the
message names the key, what may stand there and what was received.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from verifier.limits import MIB

Structured = Literal["json_schema", "guided_choice", "none"]

ENDPOINTS = 16
"""More endpoints than this belong behind a load balancer."""

REWARD_MODELS = 16
"""DeepSeek-R1 has two; each that runs here is in memory from the start."""

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Of a reward model: what TOML takes without quotes, short enough for a table."""

CONCURRENCY = 4_096
"""Connections of one process; beyond it file descriptors run out first."""

DAY_SECONDS = 86_400

T = TypeVar("T")
Check = Callable[[str, object], Any]


class SettingsError(ValueError):
    """Settings that no judge can run with."""


def _wrong(key: str, wanted: str, got: object) -> SettingsError:
    shown = "nothing" if got is MISSING else repr(got)
    return SettingsError(f"{key}: {wanted}, got {shown}")


def _whole(low: int, high: int) -> dict[str, Check]:
    def check(key: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise _wrong(key, f"a whole number from {low} to {high}", value)
        return value

    return {"check": check}


def _number(low: float, high: float, above: bool = False) -> dict[str, Check]:
    def check(key: str, value: object) -> float:
        start = f"above {low:g} and at most" if above else f"from {low:g} to"
        wrong = _wrong(key, f"a number {start} {high:g}", value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong
        if not low <= value <= high or (above and value == low):
            raise wrong
        return float(value)

    return {"check": check}


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(key, "a text", value)
    return value


def _name(key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _wrong(key, "a text that is not empty", value)
    return value


def _url(key: str, value: object) -> str:
    wanted = "a base URL such as http://localhost:8000/v1, without user, query or fragment"
    if not isinstance(value, str):
        raise _wrong(key, wanted, value)
    try:
        parts = urlsplit(value)
        port_known = parts.port is None or parts.port > 0
    except ValueError as error:
        raise _wrong(key, wanted, value) from error
    plain = not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain or not port_known:
        raise _wrong(key, wanted, value)
    return value.rstrip("/")


def _one_of(*known: str) -> dict[str, Check]:
    def check(key: str, value: object) -> str:
        if value not in known:
            raise _wrong(key, f"one of {', '.join(known)}", value)
        return str(value)

    return {"check": check}


@dataclass(frozen=True)
class EndpointSettings:
    """One model behind one OpenAI-compatible base URL."""

    url: str = field(metadata={"check": _url})
    """Base URL; `/chat/completions` is appended."""
    model: str = field(metadata={"check": _name})
    """Its name there."""
    api_key_env: str = field(default="", metadata={"check": _text})
    """Environment variable with the key; empty: none is sent."""
    usd_per_million_prompt: float = field(default=0.0, metadata=_number(0, 1e6))
    """Price of prompt tokens."""
    usd_per_million_completion: float = field(default=0.0, metadata=_number(0, 1e6))
    """Price of completion tokens."""


@dataclass(frozen=True)
class RewardModelSettings:
    """A scalar reward model: behind vLLM's or SGLang's `/classify`, or in this process."""

    model: str = field(metadata={"check": _name})
    """Its name there; without `url` a folder of `transformers`, or `owner/model` of
    huggingface.co."""
    url: str = field(default="", metadata={"check": _url})
    """Base URL, without `/v1`; absent: it is loaded here."""
    style: Literal["vllm", "sglang"] = field(default="vllm", metadata=_one_of("vllm", "sglang"))
    """Whose `/classify` it is."""
    template: str = field(default="{prompt}\n\n{response}", metadata={"check": _name})
    """How SGLang gets both texts."""
    api_key_env: str = field(default="", metadata={"check": _text})
    """Environment variable with the key; empty: none is sent."""
    timeout_seconds: float = field(default=60.0, metadata=_number(0, DAY_SECONDS, above=True))
    """Of one attempt."""
    device: str = field(default="cpu", metadata={"check": _name})
    """Where a model in this process runs."""


@dataclass(frozen=True)
class BreakerSettings:
    """When an endpoint is left alone for a while."""

    failures: int = field(default=8, metadata=_whole(1, 1_000_000))
    """In a row, over all questions; fewer are bad luck at the default concurrency."""
    cooldown_seconds: float = field(default=30.0, metadata=_number(0, DAY_SECONDS, above=True))
    """Then one question is let through, and its outcome decides."""


@dataclass(frozen=True)
class CacheSettings:
    """Where answers and the spend of each day are kept; processes may share it."""

    path: str = field(default="", metadata={"check": _text})
    """SQLite file, on a local disk; empty: in memory, gone with the process."""
    bytes: int = field(default=1024 * MIB, metadata=_whole(MIB, 2**40))
    """Largest size; the least recently used answers leave. 1 GiB is some 500,000 of them."""


def _inner(cls: type[Any]) -> dict[str, Check]:
    return {"check": lambda key, value: _table(cls, key, value)}


def _endpoints(key: str, value: object) -> tuple[EndpointSettings, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= ENDPOINTS:
        got = f"{len(value)} of them" if isinstance(value, list) else value
        raise _wrong(key, f"1 to {ENDPOINTS} tables [[endpoints]]", got)
    return tuple(
        _table(EndpointSettings, f"{key}[{place}]", each) for place, each in enumerate(value)
    )


def _reward_models(key: str, value: object) -> tuple[tuple[str, RewardModelSettings], ...]:
    if not isinstance(value, Mapping) or not 1 <= len(value) <= REWARD_MODELS:
        got = f"{len(value)} of them" if isinstance(value, Mapping) else value
        raise _wrong(key, f"1 to {REWARD_MODELS} tables [{key}.NAME]", got)
    for name, each in value.items():
        if not NAME.fullmatch(name):
            raise _wrong(key, f"names of {NAME.pattern}", name)
        if not isinstance(each, Mapping):
            raise _wrong(f"{key}.{name}", f"a table [{key}.NAME]", each)
    return tuple(
        (name, _table(RewardModelSettings, f"{key}.{name}", each)) for name, each in value.items()
    )


@dataclass(frozen=True)
class JudgeSettings:
    """A judge, reward models, or both."""

    endpoints: tuple[EndpointSettings, ...] = field(default=(), metadata={"check": _endpoints})
    """The first that is in use is asked; the others stand in, in this order."""
    reward_models: tuple[tuple[str, RewardModelSettings], ...] = field(
        default=(), metadata={"check": _reward_models}
    )
    """Tables [reward_models.NAME], for recipes with a part `reward_model`: its option `model` is a
    name, and not needed where there is one alone."""
    concurrency: int = field(default=32, metadata=_whole(1, CONCURRENCY))
    """Requests of this process at once, over all endpoints."""
    requests_per_minute: float | None = field(default=None, metadata=_number(0, 1e6, above=True))
    """Requests of this process, spread evenly; absent: no limit."""
    timeout_seconds: float = field(default=120.0, metadata=_number(0, DAY_SECONDS, above=True))
    """From sending one request to the last byte of its answer."""
    attempts: int = field(default=6, metadata=_whole(1, 100))
    """Of one question, over all endpoints; with backoff some 30 s."""
    temperature: float = field(default=0.0, metadata=_number(0, 2))
    """Of sampling."""
    structured: Structured = field(
        default="json_schema", metadata=_one_of("json_schema", "guided_choice", "none")
    )
    """How an answer's form is enforced: JSON by `response_format`; a digit too, by parameters of
    vLLM and SGLang; or neither."""
    verdict: Literal["json", "digit"] = field(default="json", metadata=_one_of("json", "digit"))
    """JSON with an analysis; or one digit, by its probabilities where they are told: for small
    models, and quick. Criteria are always JSON."""
    budget_usd_per_day: float | None = field(default=None, metadata=_number(0, 1e6))
    """Spend of all processes that share the cache, from midnight UTC; absent: no cap."""
    budget_tokens_per_day: int | None = field(default=None, metadata=_whole(0, 10**15))
    """Prompt and completion tokens, as above."""
    budget_usd_per_call: float | None = field(default=None, metadata=_number(0, 1e6))
    """The most that one request can cost: a byte of the prompt counts as a token."""
    budget_tokens_per_call: int | None = field(default=None, metadata=_whole(0, 10**9))
    """As above, in tokens."""
    canary_share: float = field(default=0.0, metadata=_number(0, 1))
    """Questions with a known answer that are mixed in, per question asked."""
    breaker: BreakerSettings = field(default=BreakerSettings(), metadata=_inner(BreakerSettings))
    cache: CacheSettings = field(default=CacheSettings(), metadata=_inner(CacheSettings))


def _table(cls: type[T], where: str, given: object) -> T:
    """A dataclass from a table whose keys are its fields."""
    if not isinstance(given, Mapping):
        raise _wrong(where, "a table", given)
    prefix = f"{where}." if where else ""
    known = {each.name: each for each in fields(cls)}  # type: ignore[arg-type]
    for key in given:
        if key not in known:
            raise SettingsError(f"{prefix}{key}: unknown key, known are {', '.join(known)}")
    values = {}
    for name, each in known.items():
        value = given.get(name, MISSING)
        if value is not MISSING or each.default is MISSING:
            values[name] = each.metadata["check"](f"{prefix}{name}", value)
    return cls(**values)


def parse(text: str) -> JudgeSettings:
    """Settings from the text of a TOML file. Raises SettingsError."""
    try:
        return checked(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"no TOML: {error}") from error


def checked(given: Mapping[str, object]) -> JudgeSettings:
    """Settings from tables as TOML gives them. Raises SettingsError."""
    settings = _table(JudgeSettings, "", given)
    if not settings.endpoints and not settings.reward_models:
        raise _wrong("endpoints", f"1 to {ENDPOINTS} tables [[endpoints]]", MISSING)
    for name in ("budget_usd_per_day", "budget_tokens_per_day"):
        if getattr(settings, name) is not None and not settings.cache.path:
            raise _wrong("cache.path", f"a file, since {name} must outlive the process", MISSING)
    return settings


def load(path: str | Path) -> JudgeSettings:
    """Settings from a TOML file. Raises SettingsError, which names the file, and OSError."""
    try:
        return parse(Path(path).read_text(encoding="utf-8"))
    except (SettingsError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error
