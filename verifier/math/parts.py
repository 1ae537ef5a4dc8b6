r"""Answers in several parts, each with its label: "(1) 5; (2) 7", "maximum 5, minimum -3",
`A(1,2), B(3,4)`.

`labelled` cuts a text into parts and says nothing about what stands in them: the caller
reads and compares each part as an answer of its own. Labels are in one form: "1", "2",
... for numbered parts however they are numbered, "max" and "min" for extremes, "at" for
the place where an extreme is attained, and the letter of a point.

Invariants:
- Linear in the text; texts over MAX_PARTS_CHARS or of more than MAX_PARTS parts have none.
- Numbered parts are numbered from 1 without a gap and none is empty, else the brackets
  are read as mathematics.
"""

from __future__ import annotations

import re

from verifier.math.syntax.vocabulary import FUNCTIONS

MAX_PARTS_CHARS = 2_000
MAX_PARTS = 20
"""Problems have a handful of parts; each is an answer to read."""

Parts = tuple[tuple[str, str], ...]

_TEXT = re.compile(
    r"\\(?:text|textbf|textit|textrm|mathrm|mbox|mathbf|textnormal)\s{0,4}\{([^{}]{0,200})\}"
)
_LOOKS = re.compile(r"\\(?:q?quad(?![a-z])|[,;:! ]|left(?![a-z])|right(?![a-z])|[()\[\]]|\\)|~|\$")
_UPPER_ROMANS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")
_FULL_WIDTH = str.maketrans(
    dict(zip("（），；：。、", "(),;:.,", strict=True))
    | dict(zip("ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ", _UPPER_ROMANS, strict=True))
)


def labelled(text: str) -> Parts | None:
    """The labels and texts of the parts of an answer; None when it is one answer."""
    if not 4 <= len(text) <= MAX_PARTS_CHARS or _HINT.search(text) is None:
        return None
    plain = _plain(text)
    found = _numbered(plain) or _points(plain) if _LABELS.search(plain) else None
    return found or _extremes(plain) or _sided(plain) or _conditional(plain) or _worded(plain)


_HINT = re.compile(
    r"[)）①]|(?:[a-z]{2}|[\u4e00-\u9fff])[\s}]{0,3}[:：=]| is |max|min|Max|Min|reatest|argest|east"
    r"|mallest|最|art |[Ii]f\b|when|Yes|yes|No|no|rue|alse|provided|=[^,]*,"
)
"""Without any of these a text is one answer; most are told so by this alone."""
_LABELS = re.compile(r"[)①]|[Pp]art ")


def _plain(text: str) -> str:
    text = _TEXT.sub(r" \1 ", text)
    if not text.isascii():
        text = _WIDE_LABEL.sub(r" (\1) ", text).translate(_FULL_WIDTH)
    return " ".join(_LOOKS.sub(" ", text).split()).strip(" .")


_WIDE_LABEL = re.compile(r"（\s?(\d{1,2}|[ivxIVXⅠ-Ⅹ]{1,4}|[a-t])\s?）")


# ---------------------------------------------------------------- numbered

_ROMANS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
_LETTERS = "abcdefghijklmnopqrst"
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_NUMBERS = tuple(str(number) for number in range(1, MAX_PARTS + 1))
_ORDERS = (
    _NUMBERS, _ROMANS, _UPPER_ROMANS, tuple(_LETTERS), tuple(_LETTERS.upper()), tuple(_CIRCLED),
)  # fmt: skip
_NAME = r"(\d{1,2}|[ivx]{1,4}|[IVX]{1,4}|[a-tA-T])"
_LABEL = re.compile(
    rf"(?:^|(?<=[\s,;.:]))(?:(?:[Pp]art |[Qq]uestion )?(?:\({_NAME}\)|([①-⑳])|{_NAME}\))"
    rf"|[Pp]art {_NAME}\b)\s*[:=.]?"
)


def _numbered(text: str) -> Parts | None:
    marks = list(_LABEL.finditer(text))
    if len(marks) < 2 or marks[0].start() != 0 or len(marks) > 4 * MAX_PARTS:
        return None
    first = _name(marks[0])
    for order in _ORDERS:
        if first not in order:
            continue
        kept = [mark for mark in marks if _name(mark) in order and _outside(text, mark)]
        places = [order.index(_name(mark)) for mark in kept]
        if len(places) < 2 or sorted(places) != list(range(len(places))):
            continue
        ends = [mark.start() for mark in kept[1:]] + [len(text)]
        bodies = [_trimmed(text[mark.end() : end]) for mark, end in zip(kept, ends, strict=True)]
        if all(map(_ANY.search, bodies)):
            labels = [_NUMBERS[place] for place in places]
            return tuple(sorted(zip(labels, bodies, strict=True), key=_by_number))
    return None


_ANY = re.compile(r"\w")


def _by_number(part: tuple[str, str]) -> int:
    return int(part[0])


def _name(mark: re.Match[str]) -> str:
    return str(next(filter(None, mark.groups())))


def _outside(text: str, mark: re.Match[str]) -> bool:
    """A label with one bracket only closes none that was opened before it."""
    if mark.group(3) is None:
        return True
    before = text[: mark.start()]
    return before.count("(") <= before.count(")")


def _trimmed(body: str) -> str:
    body = body.strip(" ,;.:")
    for joiner in (" and", " 和"):
        body = body.removesuffix(joiner)
    return body.strip(" ,;.:")


# ---------------------------------------------------------------- points

_POINT = re.compile(r"([A-Z](?:_\{?\w{1,3}\}?|')?)\s?=?\s?(?=\()")
_BETWEEN = re.compile(r"\s?(?:,|;|and|和)?\s?(?:and )?")


def _points(text: str) -> Parts | None:
    """`A(1,2), B(3,4)`: capital letters, each with its coordinates."""
    parts: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        mark = _POINT.match(text, at)
        if mark is None or len(parts) >= MAX_PARTS:
            return None
        end = _closing(text, mark.end())
        if end is None or "," not in text[mark.end() : end]:
            return None
        parts.append((mark.group(1), text[mark.end() : end]))
        between = _BETWEEN.match(text, end)
        at = between.end() if between else end
    if len({name for name, _ in parts}) != len(parts):
        return None
    return tuple(sorted(parts)) or None


def _closing(text: str, opening: int) -> int | None:
    """Where the bracket opened at `opening` ends."""
    depth = 0
    for at in range(opening, len(text)):
        if text[at] == "(":
            depth += 1
        elif text[at] == ")":
            depth -= 1
            if depth == 0:
                return at + 1
    return None


# ---------------------------------------------------------------- extremes

_EXTREME = re.compile(
    r"(?:(?:and|the|has|have|its|with|\\)\s?){0,4}"
    r"(?P<name>(?:maximum|max|minimum|min|greatest|largest|least|smallest)(?![a-z]|\s?\\?[({])"
    r"(?: (?:value|possible value))?|最[大小]值)"
    r"(?: of [^\d=,;]{1,40}?)?\s?(?::|=|\bis\b|\bof\b|\bequals\b|[为是])?\s?",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r",?\s?\(?\b(?:(?:(?:which is |is )?(?:attained|achieved|reached|occurring|occurs)\s)?"
    r"(?:at|when|for)\b|if\b)\s?",
    re.IGNORECASE,
)
_HIGHEST = re.compile(r"(?i)max|great|larg|最大")


def _extremes(text: str) -> Parts | None:
    """ "maximum 5, minimum -3", "The minimum is 12, attained at x=2"."""
    marks = list(_EXTREME.finditer(text))
    if not 1 <= len(marks) <= 2 or marks[0].start() != 0:
        return None
    names = ["max" if _HIGHEST.match(mark.group("name")) else "min" for mark in marks]
    if len(set(names)) != len(names):
        return None
    parts: list[tuple[str, str]] = []
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    for name, mark, end in zip(names, marks, ends, strict=True):
        value, place = _value_and_place(text[mark.end() : end])
        if not value or _WORDS.search(value):
            return None
        parts.append((name, value))
        if place:
            parts.append((f"{name} at", place))
    return tuple(sorted(parts))


_WORDS = re.compile(r"(?<![\\A-Za-z])(?:or|not|if|when|and|but|maybe|perhaps|about)\b|[或约]")


def _value_and_place(text: str) -> tuple[str, str]:
    places = list(_PLACE.finditer(text))
    if len(places) != 1:
        return _trimmed(text), ""
    place = places[0]
    return _trimmed(text[: place.start()]), _trimmed(text[place.end() :]).rstrip(")")


def without_places(parts: Parts) -> Parts:
    """The parts without those that say where an extreme is attained."""
    return tuple(part for part in parts if not part[0].endswith(" at"))


# ---------------------------------------------------------------- words

_WORD_LABEL = re.compile(
    r"(?:^|(?:[,;]|\band\b|(?<=[\d)}])) ?(?:and )?)(?:[Tt]he )?"
    r"(?P<name>[A-Z]?[a-z]{2,20}(?: [A-Za-z]{1,20}){0,3}?(?:'s)?|[\u4e00-\u9fff]{1,10})"
    r"(?: ?[:=] ?| is )"
)


def _worded(text: str) -> Parts | None:
    """ "Ann: 12, Ben: 15": at least two words, each before its value."""
    marks = list(_WORD_LABEL.finditer(text))
    if not 2 <= len(marks) <= MAX_PARTS or marks[0].start() != 0:
        return None
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    bodies = [_trimmed(text[mark.end() : end]) for mark, end in zip(marks, ends, strict=True)]
    names = [mark.group("name").lower() for mark in marks]
    if not FUNCTIONS.isdisjoint(name.partition(" ")[0] for name in names):
        return None  # sin x = 3/5
    if len(set(names)) != len(names) or not all(map(_ANY.search, bodies)):
        return None
    return tuple(zip(names, bodies, strict=True))


# ---------------------------------------------------------------- yes and what

_SIDED = re.compile(r"(yes|no|true|false) ?[,;.:] ?([^=]{0,40}[=\d].{0,200})", re.IGNORECASE)


def _sided(text: str) -> Parts | None:
    """ "Yes, n = 3": both have to be right."""
    found = _SIDED.fullmatch(text)
    return (("says", found.group(1)), ("", found.group(2))) if found else None


# ---------------------------------------------------------------- conditions

_IF_THEN = re.compile(r"if (?P<when>[^;]{1,200}?),? then (?P<what>[^;]{1,200})", re.IGNORECASE)
_IF_COMMA = re.compile(r"if (?P<when>[^;,]{1,200}), (?P<what>[^;,]{1,200})", re.IGNORECASE)
_WHEN = re.compile(
    r"(?P<what>[^;]{1,200}?),? (?:when|whenever|if|provided(?: that)?) (?P<when>[^;]{1,200})",
    re.IGNORECASE,
)
_DEFINED = re.compile(
    r"(?P<what>(?:[A-Za-z](?:\^\{-1\}|')?\([a-z]\)|y|[A-Za-z]_\{?[a-z]\}?)\s?=[^,;=<>]{1,200}?)"
    r"\s?(?:,\s?\(?|\()(?P<when>[a-z]\s?(?:[<>]|\\(?:in|ne|neq|[lg]eq?(?:slant)?|[lg]t)\b)[^,;]{1,80}?)\)?"
)
_RELATION = re.compile(r"[=<>≤≥≠∈]|\\(?:in|ne|neq|[lg]eq?(?:slant)?|[lg]t)\b")
_EVERY_INDEX = re.compile(
    r"([a-z])\s?(?:\\in\s?|∈\s?)(?:\\math(?:bb|bf|rm)\s?)?\{?\s?[NZ]\s?\}?\s?"
    r"(?:[\^_]?\s?\{?\s?(?:\*|\+|\\ast)\s?\}?)?|([a-z])\s?(?:\\geq?(?:slant)?|>=)\s?1"
)


_DECLARED = re.compile(r"\\in(?![a-z])\s*\\math|∈\s*[ℝℤℕℚℂ]|\\in\s*[RZNQC]\b")


def _conditional(text: str) -> Parts | None:
    """ "if a > 1 then x > 0", "f(x) = x^2 (x >= 0)": what holds, and when.

    That a sequence is defined at every index says nothing and is left out.
    """
    if _RELATION.search(text) is None:
        return None
    found = (
        _IF_THEN.fullmatch(text)
        or _IF_COMMA.fullmatch(text)
        or _WHEN.fullmatch(text)
        or _DEFINED.fullmatch(text)
    )
    if found is None:
        return None
    what, when = found["what"].strip(" ,"), found["when"].strip(" ,")
    if _WORDS.search(what) or _WORDS.search(when) or _RELATION.search(when) is None:
        return None
    if _DECLARED.search(when):
        return None  # a constant is declared, which is no condition on what stands before
    index = _EVERY_INDEX.fullmatch(when)
    if index and re.match(rf"[A-Za-z]_\{{?{index.group(1) or index.group(2)}\}}?\s?=", what):
        return (("", what),)
    return ("", what), ("when", when)
