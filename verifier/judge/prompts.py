"""What a judge is asked: text files beside this one, filled in one pass. Pure.

A file has the sections `system`, `user`, `json` and, where one label is the whole verdict, `digit`;
the last two are two forms of the reply. `rules.txt` stands in every system section, `repair.txt`
behind a prompt whose reply could not be read. A prompt's version is its file's name and the hash of
its text with both of these, so that it changes with any word that a judge could see.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from verifier.judge.ask import Message

_TEXTS = resources.files("verifier.judge").joinpath("texts")
_PLACE = re.compile(r"\{\{(\w+)\}\}")
_SECTION = re.compile(r"^=== (\w+)\n", re.MULTILINE)
HASH_DIGITS = 16


@dataclass(frozen=True)
class Prompt:
    """The sections of one file, and its version: `reference.txt 0123456789abcdef`."""

    version: str
    sections: Mapping[str, str]


@cache
def load(name: str) -> Prompt:
    text = _text(name)
    seen = "\0".join((text, _text("rules"), _text("repair")))
    digest = hashlib.sha256(seen.encode()).hexdigest()[:HASH_DIGITS]
    _, *parts = _SECTION.split(text)
    sections = dict(zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True))
    return Prompt(f"{name}.txt {digest}", sections)


def messages(
    prompt: Prompt, reply: str, values: Mapping[str, str], error: str = ""
) -> tuple[Message, ...]:
    """The prompt with its places filled, `reply` (json or digit) telling the form of the answer.

    `error` says why an earlier answer could not be read. That answer is not repeated: what it
    copied out of a text would stand outside the text's markers.
    """
    system = prompt.sections["system"].replace("{{rules}}", _text("rules").strip())
    user = f"{prompt.sections['user']}\n\n{prompt.sections[reply]}"
    if error:
        user += "\n" + _text("repair").rstrip()
    places = {**values, "error": error}
    return (
        Message("system", _filled(system, places)),
        Message("user", _filled(user, places)),
    )


def _filled(text: str, values: Mapping[str, str]) -> str:
    """One pass: what a text to be judged says in double braces is not a place to fill."""
    return _PLACE.sub(lambda place: values[place.group(1)], text)


@cache
def _text(name: str) -> str:
    return _TEXTS.joinpath(f"{name}.txt").read_text(encoding="utf-8")
