"""Is a response laid out as the template asks? Pure functions, linear time.

Covered: the two layouts of DeepSeek-R1 (arXiv 2501.12948, section 2.2.2 and
the cold-start format). Not covered: whether what stands inside the tags is any
good.

Invariant: a well-formed response has exactly one way to be split into its
sections, so nobody gains by repeating or nesting tags.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


class Style(Enum):
    """The layouts, by the name used in a recipe's `style` option."""

    R1_ZERO = "r1_zero"
    """`<think> reasoning </think> <answer> answer </answer>`, nothing outside."""

    R1 = "r1"
    """Reasoning, `</think>`, then a summary; the opening `<think>` may have been
    given by the chat template and so may be missing."""


class Fault(Enum):
    """The first thing wrong with a layout."""

    NONE = "well_formed"
    MISSING_TAG = "missing_tag"
    REPEATED_TAG = "repeated_tag"
    WRONG_ORDER = "wrong_order"
    TEXT_OUTSIDE = "text_outside"
    EMPTY_SECTION = "empty_section"


@dataclass(frozen=True)
class Layout:
    """What `check` found. `thinking` and `answer` are None when they cannot be told apart."""

    fault: Fault
    detail: str
    thinking: str | None = None
    answer: str | None = None

    @property
    def score(self) -> float:
        return 1.0 if self.fault is Fault.NONE else 0.0


_TAG = re.compile(r"</?(?:think|answer)>")
_ZERO_ORDER = ["<think>", "</think>", "<answer>", "</answer>"]


def check(response: str, style: Style) -> Layout:
    """Judges the layout of a whole response."""
    tags = list(_TAG.finditer(response))
    if style is Style.R1:
        return _check_r1(response, tags)
    names = [tag.group() for tag in tags]
    for name in _ZERO_ORDER:
        if name not in names:
            return Layout(Fault.MISSING_TAG, f"no {name}")
    for name in _ZERO_ORDER:
        if names.count(name) > 1:
            return Layout(Fault.REPEATED_TAG, f"{names.count(name)} times {name}")
    if names != _ZERO_ORDER:
        return Layout(Fault.WRONG_ORDER, " ".join(names))
    think, end_think, answer, end_answer = tags
    outside = (
        ("before <think>", response[: think.start()]),
        ("between </think> and <answer>", response[end_think.end() : answer.start()]),
        ("after </answer>", response[end_answer.end() :]),
    )
    for place, text in outside:
        if text.strip():
            return Layout(Fault.TEXT_OUTSIDE, f"text {place}")
    return _sections(
        response[think.end() : end_think.start()], response[answer.end() : end_answer.start()]
    )


def _check_r1(response: str, tags: list[re.Match[str]]) -> Layout:
    thinks = [tag for tag in tags if "think" in tag.group()]
    names = [tag.group() for tag in thinks]
    if "</think>" not in names:
        return Layout(Fault.MISSING_TAG, "no </think>")
    for name in ("<think>", "</think>"):
        if names.count(name) > 1:
            return Layout(Fault.REPEATED_TAG, f"{names.count(name)} times {name}")
    end = thinks[names.index("</think>")]
    start = 0
    if "<think>" in names:
        opening = thinks[names.index("<think>")]
        if opening.start() > end.start():
            return Layout(Fault.WRONG_ORDER, " ".join(names))
        if response[: opening.start()].strip():
            return Layout(Fault.TEXT_OUTSIDE, "text before <think>")
        start = opening.end()
    return _sections(response[start : end.start()], response[end.end() :])


def _sections(thinking: str, answer: str) -> Layout:
    for name, text in (("reasoning", thinking), ("answer", answer)):
        if not text.strip():
            return Layout(Fault.EMPTY_SECTION, f"the {name} is empty", thinking, answer)
    return Layout(Fault.NONE, "", thinking, answer)


def chain_of_thought(response: str) -> str:
    """The reasoning of a response: up to the last `</think>`, after a first `<think>`.

    A response without `</think>` is all reasoning: a model that never closes
    the tag must not thereby escape the language part.
    """
    end = response.rfind("</think>")
    text = response if end < 0 else response[:end]
    start = text.find("<think>")
    return text if start < 0 else text[start + len("<think>") :]
