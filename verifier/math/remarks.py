r"""Remarks about parameters as formulas: "where k is an integer" is `, k \in \mathbb{Z}`.

`formal` gives the text in which every remark it knows is a further item of the list, so
that the parser reads one notation only. What it does not know stays as it is, and is then
refused or dropped by the parser as any other words are.

Invariants:
- Only texts up to MAX_CHARS, and what a pattern repeats is bounded.
- A remark never disappears: it becomes a condition that says the same.

Not covered: remarks about a function's argument beyond its domain.
"""

from __future__ import annotations

import re

MAX_CHARS = 500
"""Answers with a remark take a line; what is longer is read as it stands."""

_GATE = re.compile(
    r"integer|real|const|natural|prime|\\in(?![a-z])|∈|\bin\b|整数|实数|常数|自然数|"
    r"(?:\(|quad|for)\s*[A-Za-z]\s*(?:[=<>]|\\[gl]e)"
)
"""Without one of these there is no remark."""

_WRAPPED = re.compile(r"\\(?:text|mbox|textrm|mathrm|textit|rm)\s*\{([^{}]{0,200})\}")
_GAP = r"(?:\s|\\[,;:! ]|\\q?quad(?![a-z])|~|\$){0,6}"
_SOME_GAP = r"(?:\s|\\[,;:! ]|\\q?quad(?![a-z])|~|\$){1,6}"
_NAME = r"\\?[A-Za-z](?![A-Za-z])(?:_\{?\w\}?)?|\\(?:lambda|mu|alpha|beta|gamma|theta|nu)(?![a-z])"
_MORE = rf"(?:{_GAP}(?:,|and(?![a-z])){_GAP}(?:{_NAME})){{0,4}}"
_NAMES = rf"(?:{_NAME}){_MORE}"
_LISTED_NAMES = rf"((?:{_NAME})(?(open){_MORE}|))"
"""After a comma, a bracket or "where" there may be several; after a mere gap one, as what
stands before may be a factor."""

_SET = (
    r"(?:\\mathbb|\\mathbf|\\mathrm|\\Bbb)?\s?\{?\s?[ZNRQC]\s?\}?"
    r"(?:\s?[\^_]\s?(?:\{[^{}]{0,12}\}|[+*\-0]))?"
)
_START = r"(?:for|where|with|and|when|being|given|if|here|其中|且)"
_ANY = (
    r"(?:(?:an?|any|some|all|every|each|arbitrary|two|three|fixed|free|the)(?![a-z])\s{0,3}){0,3}"
)
_SIGN = r"(?:(positive|negative|non-?negative|non-?zero)\s{1,3})?"
_ADJECTIVE = r"(?:(?:arbitrary|real|complex|rational|free|fixed|given)\s{1,3}){0,2}"
_KIND = (
    r"(integers?|natural\snumbers?|whole\snumbers?|real\snumbers?|reals?|numbers?|constants?|"
    r"rational\snumbers?|rationals?|complex\snumbers?|parameters?|primes?(?:\snumbers?)?|real(?![a-z])|arbitrary)(?![a-z])"
)

_OPEN = rf"(?P<open>[,;(]{_GAP}(?:{_START}(?![a-z]){_GAP})?|{_SOME_GAP}{_START}(?![a-z]){_GAP})"

_BEFORE = re.compile(  # where k is an integer; (a, b arbitrary constants)
    rf"(?:{_OPEN}|{_SOME_GAP}){_LISTED_NAMES}{_GAP}"
    rf"(?:(?:is|are|be|being|denotes?)(?![a-z]){_GAP})?{_ANY}{_SIGN}({_ADJECTIVE}){_KIND}{_GAP}\)?"
)
_BEHIND = re.compile(  # for some integer k; (for any constants a and b)
    rf"[,;(]?{_GAP}{_START}(?![a-z]){_GAP}{_ANY}{_SIGN}({_ADJECTIVE}){_KIND}{_GAP}({_NAMES})"
    rf"{_GAP}\)?(?![A-Za-z=<>\\])"
)
_CHINESE = re.compile(
    rf"[,;(]?{_GAP}(?:其中)?{_GAP}({_NAMES}){_GAP}[为是]?(正|非负|负)?(整数|自然数|实数|任意常数|常数){_GAP}\)?"
)
_MEMBER = re.compile(  # (k \in \mathbb{Z}); \quad k \in \mathbb{Z}; for k \in \mathbb{Z}
    rf"(?:(?P<open>[,;]{_GAP}(?:{_START}(?![a-z]){_GAP})?|(?:(?<![A-Za-z])|(?<=[a-z\d}})\]]))\({_GAP}"
    rf"|{_SOME_GAP}{_START}(?![a-z]){_GAP})|{_SOME_GAP})"
    rf"(?:(?:some|any|all|every|each)(?![a-z]){_GAP})?"
    rf"{_LISTED_NAMES}{_GAP}(?:\\in(?![a-z])|in(?![a-z])){_GAP}({_SET})"
    rf"(?:{_GAP}(?:are |is |being )?(?:an? )?(?:arbitrary )?(?:(?:constants?|arbitrary)(?![a-z])))?"
    rf"{_GAP}\)?"
)
_LISTED = re.compile(  # (k = 0, 1, 2, \ldots); for k \ge 1
    rf"(?:{_START}(?![a-z]){_GAP}|(?<=[\s\d}}])\({_GAP}|\\q?quad{_GAP})"
    rf"((?:{_NAME}){_GAP}(?:=|\\geq?(?![a-z])|\\geqslant|\\leq?(?![a-z])|[<>]=?)[^()=A-Za-z]{{0,12}}"
    rf"(?:\\(?:pm|l?dots|cdots|,|;|ldots)[^()=A-Za-z]{{0,12}}){{0,8}})\)?\s*$"
)

_UNIVERSAL = re.compile(r"\b(?:all|any|every|each)\b")
_GOES_ON = ("forall", "exists", ":", "|", "mid", "{", ",")
"""Behind these a membership is part of a formula already."""
_MARKS = str.maketrans("（），；", "(),;")

_UNION = re.compile(
    rf"^(.{{0,40}}?)\\bigcup(?:\\limits)?\s?_\s?\{{\s?({_NAME})\s?\\in\s?({_SET})\s?\}}(.+)$",
    re.DOTALL,
)
_CONSTANT = re.compile(r"\+\s{0,3}const(?:ant|\.)?\s*$")

_SETS = {"i": "Z", "w": "Z", "n": "N", "r": "R", "c": "C", "p": "R", "a": "R"}
_BOUNDS = {
    "positive": r"\ge 1", "negative": r"\le -1", "nonnegative": r"\ge 0", "nonzero": r"\ne 0",
    "正": r"\ge 1", "负": r"\le -1", "非负": r"\ge 0",
}  # fmt: skip


def formal(text: str) -> str:
    """The text with its remarks as formulas; the text itself where there are none."""
    if len(text) > MAX_CHARS or not _GATE.search(text):
        return text
    bare = _WRAPPED.sub(r" \1 ", text.translate(_MARKS)).replace("∈", r"\in ")
    plain = _CHINESE.sub(_chinese, bare)
    plain = _BEHIND.sub(lambda m: _remark(m, m[4], m[1], m[2] + m[3]), plain)
    plain = _BEFORE.sub(lambda m: _remark(m, m[2], m[3], m[4] + m[5]), plain)
    plain = _MEMBER.sub(_member, plain)
    plain = _LISTED.sub(r", \1", plain)
    plain = _UNION.sub(lambda m: rf"{m[1]}{m[4]}, {m[2]} \in {_set(m[3])}", plain)
    plain = _CONSTANT.sub("+ C", plain)
    return plain if plain != bare else text


def _remark(match: re.Match[str], names: str, sign: str | None, kind: str) -> str:
    if names in ("a", "an") or (
        "real" in kind and "constant" not in kind and _UNIVERSAL.search(match[0])
    ):
        return match[0]  # an article; a remark that restricts nothing
    return _condition(names, sign, kind)


def _member(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 12) : match.start()].rstrip()
    if not before or before.endswith(_GOES_ON) or ("R" in match[3] and _UNIVERSAL.search(match[0])):
        return match[0]
    return rf", {_listed(match[2])} \in {_set(match[3])}"


def _condition(names: str, sign: str | None, kind: str) -> str:
    kind = kind.strip()
    letter = "R" if "real" in kind else "Q" if "rational" in kind else _SETS.get(kind[0], "R")
    if "complex" in kind:
        letter = "C"
    elif "prime" in kind:
        letter = "P"
    elif "constant" in kind or kind in ("numbers", "number"):
        letter = "R"
    listed = _listed(names)
    condition = rf", {listed} \in \mathbb{{{letter}}}"
    if sign:
        bound = _BOUNDS[sign.replace("-", "")]
        if letter != "Z":
            bound = bound.replace("ge 1", "gt 0").replace("le -1", "lt 0")
        condition += "".join(f", {name} {bound}" for name in listed.split(","))
    return condition + " "


def _chinese(match: re.Match[str]) -> str:
    names, sign, kind = match.groups()
    letter = {"整数": "integer", "自然数": "natural number", "实数": "real"}.get(kind, "constant")
    return _condition(names, sign, letter)


def _listed(names: str) -> str:
    return ",".join(part.strip(" $") for part in re.split(r"\band\b|,", names) if part.strip(" $"))


def _set(text: str) -> str:
    r"""`\mathbf{Z}^{*}` with its letter as a set."""
    letter = re.search(r"(?<![a-z\\])[ZNRQC](?![a-z])", text)
    assert letter is not None
    rest = text[letter.end() :].lstrip(" }")
    return rf"\mathbb{{{letter[0]}}}{rest} "
