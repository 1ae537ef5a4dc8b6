"""What the model is asked: text files beside this one, filled in one pass. Pure.

`VERSION` changes with any byte of any of them, so that a test set tells which
words it came from.
"""

from __future__ import annotations

import hashlib
import re
from importlib import resources

from verifier.code.generation.problem import Problem
from verifier.judge.ask import Message

_HERE = resources.files(__package__)
_NAMES = ("generator", "validator", "repair", "wrong")
_TEXTS = {name: _HERE.joinpath(f"{name}.txt").read_text(encoding="utf-8") for name in _NAMES}
_PLACE = re.compile(r"\{\{(\w+)\}\}")

VERSION = "1-" + hashlib.sha256("\0".join(_TEXTS[name] for name in _NAMES).encode()).hexdigest()[:8]

_GENERATED = (
    "Each input is one JSON string: the whole standard input of one run, line ends included.",
    "Each input is one JSON list: the positional arguments of one call of `{name}`.",
)
_VALIDATED = (
    "It is the text as the solution reads it.",
    "It is one JSON list: the positional arguments of one call of `{name}`.",
)
_WRITTEN = (
    "It reads standard input and writes standard output as the statement says.",
    "It defines `{name}` as the solution does.",
)


def generator(problem: Problem) -> list[Message]:
    return _about("generator", problem, _GENERATED)


def validator(problem: Problem) -> list[Message]:
    return _about("validator", problem, _VALIDATED)


def wrong(problem: Problem) -> list[Message]:
    return _about("wrong", problem, _WRITTEN)


def repair(error: str) -> Message:
    return Message("user", _filled("repair", error=error))


def _about(name: str, problem: Problem, forms: tuple[str, str]) -> list[Message]:
    """`forms`: how the prompt speaks of whole programs, and of calls."""
    content = _filled(
        name,
        statement=problem.prompt.strip(),
        language=problem.language,
        tag="cpp" if problem.language.startswith("cpp") else problem.language,
        solution=problem.solutions[0].strip(),
        form=forms[problem.calls].format(name=problem.entry_point),
    )
    return [Message("user", content)]


def _filled(name: str, **values: str) -> str:
    """One pass: what a statement says in double braces is not a place to fill."""
    return _PLACE.sub(lambda place: values[place.group(1)], _TEXTS[name])
