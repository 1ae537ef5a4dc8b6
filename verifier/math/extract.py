r"""Finding the final answer in a model's response.

Order, all of it after the last `</think>`:

1. the last balanced `\boxed{}` / `\fbox{}`, together with the boxes just before it
   that only "and", "or" or commas join to it (they make one list);
2. the last `<answer>...</answer>`, in which a box or an answer line may stand;
3. the last `####`;
4. the last answer line: "Answer: X", "The answer is X", "Final Answer: The final
   answer is $X$. I hope it is correct.", and the Chinese forms of these;
5. only when asked: the last formula or number of the text.

One exception: the sentence "The final answer is ..." standing *after* the last box is
a later and just as explicit statement, so it wins.

Invariants:
- A thought that never ended (`<think>` without `</think>`) holds no answer.
- Nothing is taken from a box that is never closed, nor by the rules below the first
  instead of it: the response was cut off. A closed box before it counts.
- Time is linear in the response and small: every search is a `find` from the end or a
  pattern over a bounded window.

Not covered: answers marked by emphasis alone ("**12**") unless free text is asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_BOX_CHARS = 16_384
"""How far the end of a box is searched. Four times the longest answer that is read."""

MAX_BOXES = 64
"""Boxes joined to one list. More is not an answer but a spray of guesses."""

MAX_GAP_CHARS = 80
"""Text between two boxes of one list: room for `\\quad \\text{and} \\quad y_2 =`."""

MAX_LINE_CHARS = 8_192
"""An answer line or tag is read so far; an answer has at most 4,000 characters."""

MAX_CANDIDATES = 32
"""Times the word "answer" is tried from the end before giving up."""

FREE_TEXT_CHARS = 4_096
"""Free text is searched only in the last so many characters."""


@dataclass(frozen=True, slots=True)
class Extracted:
    text: str
    """The answer as written, without the marks around it."""
    source: str
    """boxed, answer_tag, hashes, answer_line or free_text."""
    start: int
    end: int
    """Code points [start, end) of the answer in the response."""


def extract(response: str, free_text: bool = False) -> Extracted | None:
    """The final answer of a response, or None when it marks none."""
    think_end = response.rfind("</think>")
    if think_end < 0 and "<think>" in response:
        return None
    begin = think_end + len("</think>") if think_end >= 0 else 0
    last = _last_opener(response, begin, len(response))
    unclosed = False
    for _ in range(MAX_CANDIDATES):
        if last is None:
            break
        if not _mentioned(response, last):
            box = _boxes(response, begin, last)
            if box is not None:
                return _after_box(response, box.end) or box
            unclosed = True
        last = _last_opener(response, begin, last)
    if last is not None or unclosed:
        return None
    found = (
        _tag(response, begin)
        or _hashes(response, begin)
        or _answer_line(response, begin, len(response))
    )
    if found is None and free_text:
        found = _free(response, begin)
    return found


def boxed(text: str) -> str | None:
    """The content of the final box or boxes of a text (a reference may carry some)."""
    last = _last_opener(text, 0, len(text))
    found = _boxes(text, 0, last) if last is not None else None
    return found.text if found else None


# ---------------------------------------------------------------- boxes

_OPENER = re.compile(r"\\{1,2}(?:boxed|fbox)\s{0,4}\{")
_UNBRACED = re.compile(
    r"\\{1,2}(?:boxed|fbox)\s{0,4}(-?\d[\d.,]{0,40}\d|-?\d|[A-Za-z](?![A-Za-z]))"
)
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_JOINER = re.compile(
    r"[\s,;.:]*(?:(?:[a-z]+(?: \([a-z]\))? ?){0,3}\b(?:and|or)\b|和|或|、|，)?"
    r"[\s,;:]*(?:[A-Za-z](?:_\{?\w{1,3}\}?)?\s*=\s*)?"
)
_GAP_NOISE = re.compile(r"\\[()\[\]]|\\(?:text|textbf|mathrm)(?=\{)|\\q?quad|\\[,;: ]|[${}*]")


def _last_opener(text: str, begin: int, end: int) -> int | None:
    """Start of the last `\\boxed` or `\\fbox`, its doubled backslash included."""
    at = max(text.rfind("\\boxed", begin, end), text.rfind("\\fbox", begin, end))
    if at < 0:
        return None
    return at - 1 if at > begin and text[at - 1] == "\\" else at


def _mentioned(text: str, at: int) -> bool:
    """The last `\\boxed` is only talked about: nothing opens there."""
    return _OPENER.match(text, at) is None and _UNBRACED.match(text, at) is None


def _content(text: str, at: int) -> tuple[int, int, int] | None:
    """(start, end) of the content of the box at `at`, and where the box ends."""
    opener = _OPENER.match(text, at)
    if opener is None:
        bare = _UNBRACED.match(text, at)
        return (bare.start(1), bare.end(1), bare.end()) if bare else None
    start = opener.end()
    limit = start + MAX_BOX_CHARS
    end = _closing(text, start, limit)
    if end is not None:
        return start, end, end + 1
    if limit < len(text):
        return start, limit, limit  # too long to be an answer, which the caller says
    # `\boxed{185\}`: the backslash is a slip when nothing else closes the box.
    line_end = text.find("\n", start)
    slip = text.find("\\}", start, line_end if line_end >= 0 else len(text))
    return (start, slip, slip + 2) if slip >= 0 and "{" not in text[start:slip] else None


def _closing(text: str, start: int, limit: int) -> int | None:
    depth = 1
    for brace in _BRACE.finditer(text, start, min(limit, len(text))):
        mark = brace.group()
        if mark == "{":
            depth += 1
        elif mark == "}":
            depth -= 1
            if depth == 0:
                return brace.start()
    return None


def _boxes(text: str, begin: int, last: int) -> Extracted | None:
    found = _content(text, last)
    if found is None:
        return None
    start, end, _ = found
    parts = [_box_text(text, last, start, end)]
    at = last
    while len(parts) < MAX_BOXES:
        before = _last_opener(text, max(begin, at - MAX_BOX_CHARS), at)
        inner = _content(text, before) if before is not None else None
        if before is None or inner is None or inner[2] > at or at - inner[2] > MAX_GAP_CHARS:
            break
        gap = _GAP_NOISE.sub("", text[inner[2] : at])
        if not _JOINER.fullmatch(gap):
            break
        if "\n\n" in text[inner[2] : at] and gap.strip(" \n.") == "":
            break  # a box repeated in a paragraph of its own, not a list
        parts.insert(0, _box_text(text, before, inner[0], inner[1]))
        at, start = before, inner[0]
    if len(set(parts)) == 1:
        parts = parts[:1]
    return Extracted(", ".join(parts), "boxed", start, end)


def _box_text(text: str, at: int, start: int, end: int) -> str:
    content = text[start:end]
    if text.startswith("\\\\", at):
        content = content.replace("\\\\", "\\")  # the whole answer is escaped twice
    return content.strip()


# ---------------------------------------------------------------- tags and lines

_STATED = re.compile(r"[Tt]he final answer is:?")
_BOX_WORD = re.compile(r"\\(?:boxed|fbox)")


def _after_box(text: str, box_end: int) -> Extracted | None:
    """An answer stated in the words "The final answer is" after the last box."""
    at = text.rfind("he final answer is", box_end)
    if at < 0:
        return None
    stated = _STATED.match(text, at - 1)
    found = _value(text, stated.end(), "answer_line") if stated else None
    # Only a value that stands alone as a formula or a number overrules a box.
    return found if found and re.search(r"[\d\\$]|^[A-Z]$", found.text) else None


def _tag(text: str, begin: int) -> Extracted | None:
    close = text.rfind("</answer>", begin)
    if close < 0:
        return None
    opening = text.rfind("<answer>", begin, close)
    if opening < 0:
        return None
    start = opening + len("<answer>")
    line = _answer_line(text, max(start, close - MAX_LINE_CHARS), close)
    if line is not None and line.text:
        return Extracted(line.text, "answer_tag", line.start, line.end)
    return _stripped(text, start, close, "answer_tag")


def _hashes(text: str, begin: int) -> Extracted | None:
    at = text.rfind("####", begin)
    if at < 0:
        return None
    start = at + 4
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    while end > start and text[end - 1] in ". \t\r*":
        end -= 1
    return _stripped(text, start, end, "hashes")


# After the word "answer": what may stand before the value.
_MARK = re.compile(
    r"\**\s{0,4}(?::|：|=|\bis\b:?|是|为|(?=\\\[|\\\(|\$)|\**\s{0,4}\n)\**\s{0,8}"
    r"(?:[Tt]he final answer is:?\s{0,4})?\**\s{0,4}"
)


def _answer_line(text: str, begin: int, end: int) -> Extracted | None:
    at = end
    for _ in range(MAX_CANDIDATES):
        found = max(
            text.rfind("nswer", begin, at),
            text.rfind("NSWER", begin, at),
            text.rfind("答案", begin, at),
        )
        if found < 0:
            return None
        word_end = found + (2 if text.startswith("答案", found) else 5)
        mark = _MARK.match(text, word_end, end)
        if mark is not None:
            value = _value(text, mark.end(), "answer_line", end)
            if value is not None and value.text:
                return value
        at = found
    return None


_SENTENCE_END = re.compile(r"[.。](?=\s+[A-Z*]|\s*$|\s*<|\s*\*)|\n|(?:,|;)\s+(?=it|but|so|because)")
_DISPLAY = {"\\[": "\\]", "\\(": "\\)", "$$": "$$", "$": "$"}
_PROSE = re.compile(r"(?:[^$\\]|\$[^$]{0,40}\$)*\b(?:is|are|equals)\b:?\s+(?=[-\d$\\(\[.])")


def _value(text: str, start: int, source: str, end: int | None = None) -> Extracted | None:
    """The value that starts at `start`: one formula, or the rest of the sentence."""
    limit = min(len(text) if end is None else end, start + MAX_LINE_CHARS)
    while start < limit and text[start] in " \t\n*":
        start += 1
    for opening, closing in _DISPLAY.items():
        if text.startswith(opening, start):
            close = text.find(closing, start + len(opening), limit)
            while closing == "$" and close > start and text[close - 1] == "\\":
                close = text.find(closing, close + 1, limit)  # \\$ is money
            rest = text[close + len(closing) : close + len(closing) + 12] if close >= 0 else ""
            if close > start and not re.match(r"\s*(?:and|or|,\s*\$|[-+*/=])", rest):
                unit = re.match(r"\s*(?:\\?%|percent)", rest)
                stop = close + len(closing) + (unit.end() if unit else 0)
                return _stripped(text, start, stop, source)
    stop_at = _SENTENCE_END.search(text, start, limit)
    stop = stop_at.start() if stop_at else limit
    prose = _PROSE.match(text, start, min(stop, start + 400))
    if prose:
        start = prose.end()
    while stop > start and text[stop - 1] in " .*\r\t":
        stop -= 1
    return _stripped(text, start, stop, source) if stop > start else None


def _stripped(text: str, start: int, end: int, source: str) -> Extracted:
    end = min(end, start + MAX_BOX_CHARS)
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Extracted(text[start:end], source, start, end)


# ---------------------------------------------------------------- free text

_NUMBER = re.compile(r"(?<![\w.])-?\\?\$?(?:\d+(?:,\d{3})*(?:\.\d+)?(?:/\d+)?|\.\d+)(?:\s?\\?%)?")
_NAME = re.compile(r"\s*\\?[A-Za-z]+(?:_\{?\w+\}?)?(?:\(\w\))?\s*=[^=]*|(?:[^=]|[<>!]=)*")
_PLAIN_WORDS = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{2,}\s+[A-Za-z]{2,}\s")  # between two formulas
_FORMULA = re.compile(r"\$([^$\n]{1,400})\$|\\\((.{1,400}?)\\\)|\\\[(.{1,400}?)\\\]", re.DOTALL)


def _free(text: str, begin: int) -> Extracted | None:
    """The last formula that states a value, or the last number when that comes later.

    A formula such as `3 \\cdot 4 = 12` is working, not a statement.
    """
    begin = max(begin, len(text) - FREE_TEXT_CHARS)
    best: tuple[int, int] | None = None
    for match in _FORMULA.finditer(text, begin):
        group = match.lastindex or 1
        if _NAME.fullmatch(match.group(group)) and not _PLAIN_WORDS.search(match.group(group)):
            best = match.span(group)
    for match in _NUMBER.finditer(text, best[1] if best else begin):
        best = match.span()
    return _stripped(text, best[0], best[1], "free_text") if best else None
