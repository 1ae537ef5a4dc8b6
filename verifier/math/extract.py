r"""Finding the final answer in a model's response.

Order, all of it after the last `</think>`:

1. the last balanced `\boxed{}` / `\fbox{}`, together with the boxes just before it
   that only "and", "or" or commas join to it (they make one list); of boxes inside
   each other the outer one, when it holds more than a name and the inner one;
2. the last `<answer>...</answer>`, in which a box or an answer line may stand;
3. the last `####` that is no heading;
4. the last answer line: "Answer: X", "The answer is X", "Final Answer: The final
   answer is $X$. I hope it is correct.", the forms of these in some other languages,
   and "the correct option is X";
5. the whole text, when it is one short line and reads as a value: a number or formula
   with at most a unit, or an option letter;
6. only when asked: the last formula or number of the text.

One exception: "The final answer is X" or a line "Answer: X" standing *after* the last
box is a later and just as explicit statement, so it wins when X holds mathematics.

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
from collections.abc import Iterator
from dataclasses import dataclass

from verifier.math.syntax.vocabulary import CONST_WORDS, FUNCTIONS, NO_UNIT, PERCENT, SCALING
from verifier.math.units import canonical
from verifier.thinking import said_from

MAX_BOX_CHARS = 4_200
"""How far the end of a box is searched: a little beyond the longest answer that is read."""

MAX_BOXES = 32
"""Boxes joined to one list. More is not an answer but a spray of guesses."""

MAX_GAP_CHARS = 80
"""Text between two boxes of one list: room for `\\quad \\text{and} \\quad y_2 =`."""

MAX_LINE_CHARS = 8_192
"""An answer line or tag is read so far; an answer has at most 4,000 characters."""

MAX_CANDIDATES = 32
"""Times the word "answer" is tried from the end before giving up."""

FREE_TEXT_CHARS = 4_096
"""Free text is searched only in the last so many characters."""

MAX_WHOLE_CHARS = 200
"""A text without marks that is longer is prose, or working, not an answer alone."""

MAX_NESTED = 8
"""Boxes inside each other. More is hostile, and each costs a search for its end."""


@dataclass(frozen=True, slots=True)
class Extracted:
    text: str
    """The answer as written, without the marks around it."""
    source: str
    """boxed, answer_tag, hashes, answer_line, whole or free_text."""
    start: int
    end: int
    """Code points [start, end) of the answer in the response."""


def extract(response: str, free_text: bool = False) -> Extracted | None:
    """The final answer of a response, or None when it marks none."""
    begin = said_from(response)
    if begin is None:
        return None
    last = _last_opener(response, begin, len(response))
    unclosed = False
    for _ in range(MAX_CANDIDATES):
        if last is None:
            break
        if not _mentioned(response, last):
            box = _boxes(response, begin, last)
            if box is not None:
                return _after_box(response, box) or box
            unclosed = True
        last = _last_opener(response, begin, last)
    if last is not None or unclosed:
        return None
    found = (
        _tag(response, begin)
        or _hashes(response, begin)
        or _answer_line(response, begin, len(response))
        or _whole(response, begin)
    )
    if found is None and free_text:
        found = _free(response, begin)
    return found


def why_none(response: str) -> str:
    """For a person: why `extract` found nothing."""
    begin = said_from(response)
    if begin is None:
        return "the thought never ended"
    if _last_opener(response, begin, len(response)) is not None:
        return "the last box is never closed"
    return "the response marks no answer"


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
    start, end, closed = found
    parts = [_box_text(text, last, start, end)]
    at = last
    nested = 0
    while len(parts) < MAX_BOXES:
        before = _last_opener(text, max(begin, at - MAX_BOX_CHARS), at)
        inner = _content(text, before) if before is not None else None
        if before is not None and inner is not None and inner[1] >= closed:
            nested += 1
            around = text[inner[0] : at], text[closed : inner[1]]
            if not _JOINER.fullmatch(_GAP_NOISE.sub("", around[0])) or around[1].strip(" .,;$"):
                parts, end, closed = [_box_text(text, before, inner[0], inner[1])], *inner[1:]
            at, start = before, inner[0]
            if nested == MAX_NESTED:
                break
            continue
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

_STATED = re.compile(r"[Tt]he final a$")
_LINE_LEAD = re.compile(
    r"[\s>#*_]*(?:(?:the\s+)?(?:(?:final|correct)\s+)?a?|最?终?)", re.IGNORECASE
)
_LEAD_CHARS = 40
"""Marks and words between the start of a line and the word "answer"."""


def _after_box(text: str, box: Extracted) -> Extracted | None:
    """An answer stated after the last box: "The final answer is X", or a line "Answer: X"."""
    if text.find("\n", box.end) < 0 and text.find("he final a", box.end) < 0:
        return None
    for at, value_at in _answer_words(text, box.end, len(text)):
        lead = text[max(box.end, at - _LEAD_CHARS) : at]
        on_line = lead.rpartition("\n")
        stated = _STATED.search(lead)
        if not stated and not (on_line[1] and _LINE_LEAD.fullmatch(on_line[2])):
            continue
        found = _value(text, value_at, "answer_line")
        if found is None or "boxed" in found.text:  # one that was cut off
            continue
        # Only a value that stands alone as a formula or a number overrules a box.
        if _LETTER_ALONE.fullmatch(found.text):
            stands = _letter_again(box, stated)
        else:
            stands = bool(stated and _MATHEMATICAL.search(found.text)) or _says_a_value(found.text)
        if stands:
            return found
    return None


_MATHEMATICAL = re.compile(r"[\d\\$]")


def _letter_again(box: Extracted, stated: re.Match[str] | None) -> bool:
    """A letter overrules another letter; a value in a box is more than the name of one."""
    return stated is not None or bool(re.fullmatch(r"(?:\\[a-z]+|[\W_])*[A-Z][\W_]*", box.text))


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


_HEADING = re.compile(r"[#\s*]{0,8}(?:[A-Za-z]{3,}|[\u4e00-\u9fff]{2,})")


def _hashes(text: str, begin: int) -> Extracted | None:
    at = text.rfind("####", begin)
    if at < 0:
        return None
    start = at + 4
    end = text.find("\n", start)
    if end >= 0 and _HEADING.match(text, start) and text[end : end + MAX_LINE_CHARS].strip():
        return None
    end = len(text) if end < 0 else end
    while end > start and text[end - 1] in ". \t\r*":
        end -= 1
    return _stripped(text, start, end, "hashes")


_ANSWER_WORDS = (
    "nswer", "NSWER", "答案", "答え", "选", "正确选项", "éponse", "ntwort", "espuesta", "isposta",
    "esposta", "твет", "ТВЕТ", "Ans", "orrect option", "orrect choice",
)  # fmt: skip
# After such a word: what may stand before the value.
_MARK = re.compile(
    r"(?:,? (?:to|for|of|in) [A-Za-z ()]{1,40}?,? ?(?=\bis\b))?\**\s{0,4}"
    r"(?:】\s{0,4}[:：]?|[:：=]|[-–—](?=\s)"
    r"|\b(?:is|ist|est|es|è|é|equals|(?:would|will|should|must) be)\b:?"
    r"|[是为]\s{0,4}[:：]?|は|(?=\\\[|\\\(|\$)|\**\s{0,4}\n)"
    r"\**\s{0,8}(?:[Tt]he final answer is:?\s{0,4})?"
    r"(?:(?:therefore|thus|hence|then|simply|just|clearly|equal to|given by)\b:?,?\s{0,4})?"
    r"\**\s{0,4}"
)
_CHOSEN = re.compile(r"择?\s{0,4}[:：]?\s{0,4}(?=[$\\A-H(（])")
_CONCLUDED = re.compile(
    r"(?:因此|所以|故|综上|综上所述|从而|于是|答案)[,，]?(?:本题|此题)?\s{0,2}应?该?$"
    r"|(?:^|[\n。])\s{0,4}(?:本题|此题)?应?该?$"
)
"""Before 选: a conclusion or nothing; what stands there else may negate."""


def _answer_words(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Where a word for "answer" stands and where its value starts, the last one first.

    Every word is searched once through the text, however often the others stand in it.
    """
    places = {word: text.rfind(word, begin, end) for word in _ANSWER_WORDS}
    places = {word: at for word, at in places.items() if at >= 0}
    for _ in range(MAX_CANDIDATES):
        if not places:
            return
        word = max(places, key=places.__getitem__)
        at = places.pop(word)
        again = text.rfind(word, begin, at)
        if again >= 0:
            places[word] = again
        if word == "选" and not _CONCLUDED.search(text[max(begin, at - _LEAD_CHARS) : at]):
            continue
        mark = (_CHOSEN if word == "选" else _MARK).match(text, at + len(word), end)
        if mark is not None:
            yield at, mark.end()


def _answer_line(text: str, begin: int, end: int) -> Extracted | None:
    for _, at in _answer_words(text, begin, end):
        value = _value(text, at, "answer_line", end)
        if value is not None and value.text:
            return value
    return None


_SENTENCE_END = re.compile(
    r"\.(?=\s+[A-Z*]|\s*$|\s*<|\s*\*)|。|\n|(?:,|;)\s+(?=it|but|so|because|since)"
    r"|\s(?=because\b|since\b)|\*\*(?=[\s.,;:!)]|$)|です|である"
)
_GOES_ON = re.compile(
    r"\s*(?:[,(]\s*)?(?:(?:and|or|if|when|unless|either|maybe|perhaps|possibly|but|not)\b|[或和])"
    r"|\s*(?:,\s*(?:\$|\\\()|[-+*/=])"
)
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
            if close > start and not _GOES_ON.match(rest):
                unit = re.match(r"\s*(?:\\?%|percent)", rest)
                stop = close + len(closing) + (unit.end() if unit else 0)
                return _stripped(text, start, stop, source)
    stop_at = _SENTENCE_END.search(text, start, limit)
    stop = stop_at.start() if stop_at else limit
    prose = _PROSE.match(text, start, min(stop, start + 400))
    if prose:
        start = prose.end()
    while stop > start and text[stop - 1] in " .*\r\t`":
        stop -= 1
    while start < stop and text[start] == "`":
        start += 1
    return _stripped(text, start, stop, source) if stop > start else None


def _stripped(text: str, start: int, end: int, source: str) -> Extracted:
    end = min(end, start + MAX_BOX_CHARS)
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Extracted(text[start:end], source, start, end)


# ---------------------------------------------------------------- the whole text

_LETTER_ALONE = re.compile(r"\(?[A-J]\)?")
_COMMAND = re.compile(r"\\[A-Za-z]+|\\[()\[\],;:! ]|[${}]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_TAIL = re.compile(r"(?<![^\W\d_])[^\W\d_]{1,20}(?:[ /]+[^\W\d_]{1,20}){0,3}$")
_NOT_MATHEMATICS = re.compile(r"[?@#\"<>&~`]{2}|\?|[.:;]\s|[^\W\d_]\.[^\W\d_]")


def _whole(text: str, begin: int) -> Extracted | None:
    """The text itself, when it says nothing but a value."""
    if len(text) - begin > 2 * MAX_WHOLE_CHARS:
        return None
    start, end = begin, len(text)
    while start < end and (text[start].isspace() or text[start] in "*`"):
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in "*`.。"):
        end -= 1
    if 0 < end - start <= MAX_WHOLE_CHARS and _says_a_value(text[start:end]):
        return Extracted(text[start:end], "whole", start, end)
    return None


def _says_a_value(text: str) -> bool:
    if _LETTER_ALONE.fullmatch(text):
        return True
    if "\n" in text or _NOT_MATHEMATICS.search(text):
        return False
    plain = _COMMAND.sub(" ", text).strip()
    if not any(char.isdigit() for char in plain) and "\\" not in text and "$" not in text:
        return False
    tail = _TAIL.search(plain)
    if tail and tail.start() > 0 and (canonical(tail.group())[1] or _counts(tail.group())):
        plain = plain[: tail.start()]
    return all(word in FUNCTIONS or word in CONST_WORDS for word in _WORD.findall(plain))


def _counts(words: str) -> bool:
    """What is counted, in one word that says nothing about the number."""
    low = words.lower()
    return low in PERCENT or (low.isalpha() and low not in NO_UNIT and low not in SCALING)


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
