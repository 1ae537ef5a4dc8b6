r"""Is a response laid out as the template asks? Pure functions, linear time.

Covered: the layouts of DeepSeek-R1 (arXiv 2501.12948, section 2.2.2; the
cold-start pattern of its first version, section 2.3.1), an answer in a box, and
tags that a recipe names. Not covered: whether what stands inside is any good.

Invariant: a well-formed response has exactly one way to be split into its
sections, so nobody gains by repeating or nesting tags.

Three rules follow:

- A tag is its exact characters, as whoever splits the response later will search
  for them. `<Think>`, `<think >`, `<think class="a">`, a fullwidth `＜think＞` and
  a tag with an invisible character in it are plain text.
- A tag, token or box counts wherever it stands: in a code block, in LaTeX, quoted.
- Blanks and invisible characters are nothing: they may stand outside of the
  tags, and a section that has only them is empty.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from types import MappingProxyType

import regex

from verifier.thinking import said_from

TOKEN = "|special_token|"
"""The default of the option `token`: the placeholder that the paper prints."""

MAX_TOKEN_CHARS = 64
"""Of the option `token`: twice the longest control tokens of known tokenizers."""

MAX_TAGS = 8
"""Tags that the option `tags` may name: more sections than any published template has."""

MAX_TAG_CHARS = 32
"""Of the name of a tag: a word or two."""

OPTIONS = frozenset({"style", "tags", "token"})


class Style(Enum):
    """The layouts, by the name used in a recipe's `style` option."""

    R1_ZERO = "r1_zero"
    """`<think> reasoning </think> <answer> answer </answer>`, nothing outside."""

    R1 = "r1"
    """Reasoning, `</think>`, then a summary; the opening `<think>` may have been
    given by the chat template and so may be missing."""

    SPECIAL_TOKEN = "special_token"
    """`|special_token|`, reasoning, `|special_token|`, summary; the token by the option
    `token`."""

    BOXED = "boxed"
    r"""An answer in `\boxed{...}` after the last `</think>`. The last box that is closed
    decides, the outer one of two, as it does when the answer is extracted."""

    TAGS = "tags"
    """The tags that the option `tags` names ("plan,work,answer"), in its order, nothing
    outside."""


class Fault(Enum):
    """The first thing wrong with a layout."""

    NONE = "well_formed"
    MISSING_TAG = "missing_tag"
    REPEATED_TAG = "repeated_tag"
    WRONG_ORDER = "wrong_order"
    TEXT_OUTSIDE = "text_outside"
    EMPTY_SECTION = "empty_section"
    NO_BOXED = "no_boxed"
    EMPTY_BOXED = "empty_boxed"


@dataclass(frozen=True)
class Layout:
    """What `check` found. `thinking` and `answer` are None when they cannot be told apart.

    Of several tags, the last one's section is the answer and the others are the thinking.
    """

    fault: Fault
    detail: str
    thinking: str | None = None
    answer: str | None = None

    @property
    def score(self) -> float:
        return 1.0 if self.fault is Fault.NONE else 0.0


_R1_ZERO_TAGS = "think,answer"
_NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


def check(response: str, style: Style, options: Mapping[str, str] = _NO_OPTIONS) -> Layout:
    """Judges the layout of a whole response under options in which `problem` finds nothing."""
    if style is Style.R1:
        return _check_r1(response)
    if style is Style.SPECIAL_TOKEN:
        return _check_token(response, options.get("token", TOKEN))
    if style is Style.BOXED:
        return _check_boxed(response)
    return _check_tags(response, _R1_ZERO_TAGS if style is Style.R1_ZERO else options["tags"])


def problem(style: str, options: Mapping[str, str]) -> str | None:
    """What is wrong with the part's options, naming the option; None when nothing is."""
    if style not in _STYLES:
        return f"options[style]: one of {', '.join(_STYLES)}, got {style[:40]!r}"
    for name, only in (("tags", Style.TAGS), ("token", Style.SPECIAL_TOKEN)):
        if name in options and style != only.value:
            return f"options[{name}]: for style {only.value!r} alone, got it with {style!r}"
    if style == Style.TAGS.value:
        return _tags_problem(options.get("tags"))
    token = options.get("token", TOKEN)
    if _is_blank(token) or len(token) > MAX_TOKEN_CHARS:
        return (
            f"options[token]: 1 to {MAX_TOKEN_CHARS} characters, not all of them blank, "
            f"got {token[:40]!r}"
        )
    return None


def chain_of_thought(response: str) -> str:
    """The reasoning of a response: up to the last `</think>`, after a first `<think>`.

    A response without `</think>` is all reasoning: a model that never closes
    the tag must not thereby escape the language part.
    """
    end = response.rfind("</think>")
    text = response if end < 0 else response[:end]
    start = text.find("<think>")
    return text if start < 0 else text[start + len("<think>") :]


def summary(response: str) -> str:
    """What a response says after thinking: all behind the last `</think>`, or all of it."""
    return response[said_from(response) or 0 :]


_STYLES = [style.value for style in Style]
_NAME = re.compile(rf"[A-Za-z][A-Za-z0-9_-]{{0,{MAX_TAG_CHARS - 1}}}")
_BLANK = regex.compile(
    r"[\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\N{BRAILLE PATTERN BLANK}]*+"
)


def _is_blank(text: str) -> bool:
    return _BLANK.fullmatch(text) is not None


# ---------------------------------------------------------------- tags


def _tags_problem(tags: str | None) -> str | None:
    if tags is None:
        return f"options[tags]: required by style {Style.TAGS.value!r}, got none"
    names = _names(tags)
    if len(names) > MAX_TAGS:
        return f"options[tags]: at most {MAX_TAGS} names, got {len(names)}"
    for name in names:
        if not _NAME.fullmatch(name):
            return (
                f"options[tags]: names of a letter and at most {MAX_TAG_CHARS - 1} letters, "
                f"digits, '_' and '-', parted by commas, got {name[:40]!r}"
            )
        if names.count(name) > 1:
            return f"options[tags]: names must differ, got {name!r} {names.count(name)} times"
    return None


def _names(tags: str) -> list[str]:
    return [name.strip() for name in tags.split(",")]


@lru_cache(maxsize=64)
def _marks(tags: str) -> tuple[tuple[str, ...], re.Pattern[str]]:
    """The tags in their order, and a pattern that finds all of them."""
    names = _names(tags)
    wanted = tuple(mark for name in names for mark in (f"<{name}>", f"</{name}>"))
    return wanted, re.compile(f"</?(?:{'|'.join(names)})>")


def _check_tags(response: str, tags: str) -> Layout:
    wanted, pattern = _marks(tags)
    found = list(pattern.finditer(response))
    marks = tuple(tag.group() for tag in found)
    counts = Counter(marks)
    for mark in wanted:
        if not counts[mark]:
            return Layout(Fault.MISSING_TAG, f"no {mark}")
    for mark in wanted:
        if counts[mark] > 1:
            return Layout(Fault.REPEATED_TAG, f"{counts[mark]} times {mark}")
    if marks != wanted:
        return Layout(Fault.WRONG_ORDER, " ".join(marks))
    starts = [0, *(tag.end() for tag in found)]
    ends = [*(tag.start() for tag in found), len(response)]
    pieces = [response[start:end] for start, end in zip(starts, ends, strict=True)]
    for text, before, after in zip(pieces[::2], ("", *marks[1::2]), (*marks[::2], ""), strict=True):
        if not _is_blank(text):
            return Layout(Fault.TEXT_OUTSIDE, _place(before, after))
    sections = pieces[1::2]
    thinking = "\n".join(sections[:-1]) if len(sections) > 1 else None
    for mark, text in zip(marks[::2], sections, strict=True):
        if _is_blank(text):
            return Layout(Fault.EMPTY_SECTION, f"{mark} is empty", thinking, sections[-1])
    return Layout(Fault.NONE, "", thinking, sections[-1])


def _place(before: str, after: str) -> str:
    if before and after:
        return f"text between {before} and {after}"
    return f"text before {after}" if after else f"text after {before}"


def _check_r1(response: str) -> Layout:
    counts = {mark: response.count(mark) for mark in ("<think>", "</think>")}
    if not counts["</think>"]:
        return Layout(Fault.MISSING_TAG, "no </think>")
    for mark, count in counts.items():
        if count > 1:
            return Layout(Fault.REPEATED_TAG, f"{count} times {mark}")
    outside, opened, thinking = response.partition("</think>")[0].rpartition("<think>")
    if counts["<think>"] and not opened:
        return Layout(Fault.WRONG_ORDER, "</think> <think>")
    if not _is_blank(outside):
        return Layout(Fault.TEXT_OUTSIDE, "text before <think>")
    return _sections(thinking, summary(response))


def _check_token(response: str, token: str) -> Layout:
    # Overlapping ones count too, since each of them could be the one that parts.
    at = [response.find(token)]
    while at[-1] >= 0 and len(at) < 3:
        at.append(response.find(token, at[-1] + 1))
    found = [place for place in at if place >= 0]
    if len(found) != 2:
        fault = Fault.REPEATED_TAG if len(found) > 2 else Fault.MISSING_TAG
        times = "more than 2" if len(found) > 2 else str(len(found))
        return Layout(fault, f"{times} times {token}, not 2")
    first, second = found
    if not _is_blank(response[:first]):
        return Layout(Fault.TEXT_OUTSIDE, f"text before {token}")
    return _sections(response[first + len(token) : second], response[second + len(token) :])


def _sections(thinking: str, answer: str) -> Layout:
    for name, text in (("reasoning", thinking), ("summary", answer)):
        if _is_blank(text):
            return Layout(Fault.EMPTY_SECTION, f"the {name} is empty", thinking, answer)
    return Layout(Fault.NONE, "", thinking, answer)


# ---------------------------------------------------------------- boxes

# A doubled backslash is what a response escaped twice has.
_BRACE = re.compile(r"(?P<box>\\{1,2}boxed\s{0,4}\{)|\\.|(?P<brace>[{}])", re.DOTALL)
_HOLLOW = re.compile(
    r"\\(?:boxed|mbox|text(?:bf|it|rm|sf|tt)?|math(?:bf|it|rm|sf|tt)|q?quad)(?![A-Za-z])"
    r"|\\[,;:!> ]|[{}$~]"
)
"""What shows nothing by itself: braces, LaTeX's blanks, and commands that only set a style."""


def _check_boxed(response: str) -> Layout:
    begin = said_from(response)
    if begin is None:
        return Layout(Fault.NO_BOXED, "the thinking never ended")
    thinking = chain_of_thought(response) if begin else None
    said = response[begin:]
    box = _last_box(said)
    if box is None:
        seen = "no \\boxed{...} is closed" if "\\boxed" in said else "no \\boxed"
        return Layout(Fault.NO_BOXED, seen, thinking)
    if _is_blank(_HOLLOW.sub("", box)):
        return Layout(Fault.EMPTY_BOXED, f"nothing in \\boxed{{{box[:40]}}}", thinking, box)
    return Layout(Fault.NONE, "", thinking, box)


def _last_box(text: str) -> str | None:
    """The content of the last box that is closed; of nested ones that is the outer one."""
    found = None
    opened: list[int | None] = []  # where a box's content starts, or None for other braces
    for mark in _BRACE.finditer(text):
        if mark["box"]:
            opened.append(mark.end())
        elif mark["brace"] == "{":
            opened.append(None)
        elif mark["brace"] and opened:
            start = opened.pop()
            if start is not None:
                found = start, mark.start()
    return text[found[0] : found[1]] if found else None
