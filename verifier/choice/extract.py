r"""Which option a response chooses: the last answer it commits itself to.

All of it after the last `</think>`:

1. the last `\boxed{}`, else the last `<answer>`, else `####`, as the math verifier finds them;
2. a commitment that stands after that ("wait, the answer is C") wins, and without any mark
   the last commitment of the text: by letter (verifier/choice/statements.py) or, after
   "the answer is", by the text of exactly one option, whichever is later;
3. a text that is nothing but a letter or an option's text.

Invariants:
- Two letters at once are no single answer, and nothing before them is taken instead.
- A thought that never ended, and a box that is never closed, hold no answer.
- A mark that names no option (a number that no option has) is passed over.

Not covered: an option's text that is paraphrased, or named in a sentence without the
word "answer" or its like; a hedge in a clause of its own ("A; if that is wrong, B").
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from verifier.choice import statements
from verifier.choice.options import Named, Options, by_text, longest, normalise, read, texts_in
from verifier.math import extract as marks
from verifier.thinking import said_from

MAX_LINES = 4
"""Answer lines tried from the end for an option's text; most responses have one or two."""

ALONE_CHARS = 40
"""A letter and its dress; what is longer says more."""


@dataclass(frozen=True, slots=True)
class Found:
    """`letter` is None where the answer names several options at once."""

    letter: str | None
    source: str
    """As in ChoiceEvidence."""
    start: int
    end: int
    """Code points [start, end) of the answer in the response."""


_FULL_WIDTH = re.compile("[Ａ-Ｚａ-ｚ]")


def _narrow(letter: re.Match[str]) -> str:
    return chr(ord(letter[0]) - ord("Ａ") + ord("A"))


_END_TOKENS = re.compile(r"(?:<[|｜][\w-]{1,32}[|｜]>|</s>|<end_of_turn>)$")
"""What some engines leave at the end."""

_MARKS = ("\\boxed", "\\fbox", "</answer>", "####")
_VALUE_WORDS = (
    "nswer", "NSWER", "答案", "答え", "orrect option", "orrect choice", "Ans", "选", "ntwort",
    "éponse", "espuesta", "isposta", "esposta", "твет",
)  # fmt: skip
"""Where an option's text may follow: words after which the math verifier reads a value."""


def extract(response: str, options: Options) -> Found | None:
    """The answer of a response, or None when it commits itself to none."""
    begin = said_from(response)
    if begin is None:
        return None
    if not response.isascii() and _FULL_WIDTH.search(response, begin):
        response = _FULL_WIDTH.sub(_narrow, response)
    if response.endswith(">", begin):
        response = _END_TOKENS.sub("", response)
    if len(response) - begin <= ALONE_CHARS and _ALONE.fullmatch(response, begin):
        return _whole(response, begin, options)
    value = None
    if _has_mark(response, begin):
        value = marks.extract(response)
        if value is None and _cut_off(response, begin):
            return None
    mark = _marked(response, begin, value, options)
    after = mark.end if mark else begin
    stated = statements.last(response, after, len(response), options, weak=mark is None)
    letter = None
    if stated is not None and not _begins_name(response, stated.start, options):
        source = "answer_line" if stated.line else "statement"
        letter = Found(stated.letter, source, stated.start, stated.end)
    latest = letter.end if letter else after
    return _named(response, latest, options) or letter or mark or _whole(response, begin, options)


def why_none(response: str) -> str:
    """For a person: why `extract` found nothing."""
    begin = said_from(response)
    if begin is None:
        return "the thought never ended"
    if _cut_off(response, begin) and marks.extract(response) is None:
        return "the last box is never closed"
    return "the response commits itself to no option"


def _has_mark(response: str, begin: int) -> bool:
    # Finds are several times faster than one pattern.
    return any(response.find(mark, begin) >= 0 for mark in _MARKS)


def _cut_off(response: str, begin: int) -> bool:
    return max(response.rfind("\\boxed{", begin), response.rfind("\\fbox{", begin)) >= 0


def _marked(
    response: str, begin: int, value: marks.Extracted | None, options: Options
) -> Found | None:
    if value is not None and value.source == "answer_line":
        # It stands after a box, where the statements are looked at too.
        boxed = marks.boxed(response[begin:])
        if boxed is None:
            return None
        start = max(begin, response.rfind(boxed))
        value = marks.Extracted(boxed, "boxed", start, start + len(boxed))
    if value is None:
        return None
    source = "answer_line" if value.source == "hashes" else value.source
    named = read(value.text, options)
    if named is not None:
        return _found(named, source, value.start, value.end)
    inside = statements.last(response, value.start, value.end, options, weak=True)
    return Found(inside.letter, source, inside.start, inside.end) if inside else None


def _found(named: Named, source: str, start: int, end: int) -> Found:
    return Found(named.letter, "option_text" if named.by_text else source, start, end)


def _named(response: str, begin: int, options: Options) -> Found | None:
    """The last answer line at or after `begin` that names an option by its text, or by
    another letter than a capital: those are the statements' business."""
    end = len(response)
    for _ in range(MAX_LINES):
        if all(response.find(word, begin, end) < 0 for word in _VALUE_WORDS):
            return None
        value = marks.extract(response[begin:end])
        if value is None or value.source != "answer_line":
            return None
        start, stop = begin + value.start, begin + value.end
        named, stop = _longest_named(response, start, stop, options)
        if (
            named is not None
            and (named.by_text or not _CAPITAL.match(response, start))
            and not statements.unsure(response, begin, start, stop)
        ):
            return _found(named, "answer_line", start, stop)
        end = start
    return None


def _longest_named(
    response: str, start: int, stop: int, options: Options
) -> tuple[Named | None, int]:
    """The option that the value in [start, stop) names, and where its text ends; the whole line
    comes first ("Yes, but only if x > 0"), then the value, then it without what is added to it."""
    value = read(response[start:stop], options)
    line_end = _line_end(response, start)
    line = read(response[start:line_end], options)
    if line is not None and line.by_text and line != value:
        return line, line_end
    tail = None if value else _TAIL.search(response, start, stop)
    if tail is None:
        return value, stop
    if tail["more"] and texts_in(response[tail.end() : stop], options):
        return None, stop
    return read(response[start : tail.start()], options), tail.start()


_TAIL = re.compile(r",?\s+(?:not|rather\s+than|instead\s+of)\b|(?P<more>[,;:]|\s(?:which|as|so))\s")
_CAPITAL = re.compile(r"\W{0,8}[A-Z]")


def _line_end(response: str, start: int) -> int:
    end = response.find("\n", start)
    return end if end >= 0 else len(response)


def _begins_name(response: str, start: int, options: Options) -> bool:
    """Whether the rest of the line is an option's text that only begins like a letter:
    "E. coli", "J. K. Rowling"."""
    if not _LIKE_NAME.match(response, start):
        return False
    end = min(_line_end(response, start), start + longest(options))
    return normalise(response[start:end]) in by_text(options)


_ALONE = re.compile(r"[^\w?#]*[A-Za-z][^\w?#]*")
_LIKE_NAME = re.compile(r"[A-Z][., -]{1,2}\w")
_LETTER_FIRST = re.compile(r"[(\[【]*[A-Za-z](?![A-Za-z])")
_LEAD = re.compile(
    r"(?:(?:it['’]s|definitely|clearly|certainly|only|just|option|choice|letter)\s+){1,2}"
    r"(?=[(*]{0,4}[A-Za-z](?![A-Za-z]))",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"[.!?]\s")
"""More than an option: an answer alone is one phrase."""


def _whole(response: str, begin: int, options: Options) -> Found | None:
    text = response[begin:]
    alone = text.strip().strip('*`✅ !"')
    lead = _LEAD.match(alone)
    alone = alone[lead.end() :] if lead else alone
    named = None if "\n" in alone else read(alone, options)
    if named is None or not (named.by_text or _LETTER_FIRST.match(alone)):
        return None
    if not named.by_text and _SENTENCES.search(alone, 3):
        return None
    start = begin + len(text) - len(text.lstrip())
    return _found(named, "whole", start, begin + len(text.rstrip()))
