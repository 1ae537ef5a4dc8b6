"""What test generation can be told, what it tells, and what every stage needs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sandbox.client import Sandbox
from verifier.code.generation.problem import Problem
from verifier.judge.modes import Judge
from verifier.v1 import verifier_pb2 as pb

T = TypeVar("T")


@dataclass(frozen=True)
class Settings:
    generators: int = 3
    tests: int = 20
    min_tests: int = 5
    wrong: int = 0
    """Wrong solutions asked of the model where a problem has none."""
    seed: int = 0
    temperature: float = 0.8
    """Generators of one problem should differ."""
    max_tokens: int = 16_384
    """Of one completion, reasoning included."""


@dataclass
class Report:
    """What became of one problem; without an item `why` says what was missing."""

    id: str
    item: pb.Item | None = None
    why: str = ""
    failed: bool = False
    """The endpoint or the sandbox failed: trying again may help."""
    answers: Counter[str] = field(default_factory=Counter)
    """Of the model: `asked` and `cached`, and the `prompt_tokens` and `completion_tokens` of those
    that were asked for."""
    generators: list[str] = field(default_factory=list)
    """Hashes of the programs that gave inputs."""
    repaired: int = 0
    """Programs that went well after they were shown what went wrong."""
    broken: int = 0
    """Generators that had errors to the end."""
    validator: str = ""
    """Its hash; empty where there was no use in any."""
    inputs: int = 0
    """Different inputs that the generators gave."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Inputs by the reason for which they are no tests."""
    suspects: Counter[int] = field(default_factory=Counter)
    """Solutions by the number of inputs on which they stood alone against the others."""
    valid: int = 0
    """Inputs on which all solutions agree."""
    tests: int = 0
    wrong: int = 0
    """Wrong solutions that tests were chosen by."""
    not_wrong: int = 0
    """Those asked of the model that were no program, or right wherever they were tried."""
    uncaught: list[int] = field(default_factory=list)
    """Wrong solutions, by place, that every kept test accepts."""


@dataclass(frozen=True)
class Work:
    """One problem at work."""

    problem: Problem
    model: Judge
    sandbox: Sandbox
    settings: Settings
    cpu_seconds: float
    """The limit of a solution."""
    report: Report


async def together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """All at once; the first error stops the others and is the only one."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
