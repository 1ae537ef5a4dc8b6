r"""Answers in words that are sets: "all odd integers", "multiples of 3", "(1,2,3) and its
permutations".

A sentence becomes the tree of the formula it stands for: a set-builder over the whole
numbers, or the list of the tuples written out.

Invariants:
- Every word of the sentence is used; one that is not known makes the whole unread.
- Linear in the text up to MAX_CHARS; what is longer is no such sentence.

Not covered: sets of reals in words beyond those in `words`; more than one variable.
"""

from __future__ import annotations

import re
from itertools import permutations

from verifier.math.syntax.parser import parse
from verifier.math.syntax.tokens import ParseError
from verifier.math.syntax.unicode import ascii_math
from verifier.math.tree import Const, Node, Num, Op, Rel, Seq, Sym, Text, exchanged

MAX_CHARS = 300
"""People say a set in one line."""

MAX_CONDITIONS = 6
MAX_PERMUTED = 5
"""Parts of a tuple whose permutations are written out: 120 tuples."""

_GATE = re.compile(
    r"integer|natural|number|multiple|divisible|\bodd\b|\beven\b|prime|permut|order|of the form"
    r"|排列|整数|偶数|奇数|倍数",
    re.IGNORECASE,
)
_WRAPPED = re.compile(r"\\(?:text|mbox|textrm|mathrm|textit|rm|textbf)\s*\{([^{}]{0,200})\}")
_SPACES = re.compile(r"(?:\s|\\[,;:! ]|\\q?quad(?![a-z])|\$|~)+")

ELEMENT = "n"
"""What the element is called where the sentence gives it no name."""


def in_words(text: str) -> Node | None:
    """The tree of a sentence that is a set; None for all else."""
    if len(text) > MAX_CHARS or not _GATE.search(text):
        return None
    plain = _SPACES.sub(" ", _WRAPPED.sub(r" \1 ", text)).strip(" .;:")
    if plain.startswith("\\{ ") and plain.endswith("\\}"):
        plain = plain[2:-2].strip()  # braces around the words
    return _permuted(plain) or _Sentence(ascii_math(plain)).read()


# ---------------------------------------------------------------- permutations

_THEIRS = r"(?:(?:its|their|the|of|all|any|other|every)\s){0,3}"
_PERMUTED = re.compile(
    rf"^(?:(?P<cyclic0>cyclic )?(?P<x1>.+?),?\s?(?:and|or|及其|with|including)\s?{_THEIRS}"
    r"(?P<cyclic1>cyclic(?:al)? )?(?:permutations?|rearrangements?|排列|所有排列|全排列)"
    r"(?: thereof| of (?:it|them|these|those|this))?"
    r"|(?P<x2>.+?),?\s\(?(?:in (?:any|some|whatever) order|up to (?:permutation|order|ordering))\)?"
    rf"|(?:{_THEIRS})(?P<cyclic2>cyclic )?permutations of (?P<x3>.+))$",
    re.IGNORECASE,
)


def _permuted(text: str) -> Node | None:
    """All orders of the parts of a tuple, written out as a list."""
    match = _PERMUTED.match(text)
    if match is None:
        return None
    cyclic = bool(match["cyclic0"] or match["cyclic1"] or match["cyclic2"])
    try:
        node = parse(match["x1"] or match["x2"] or match["x3"])
    except ParseError:
        return None
    head = None
    if isinstance(node, Rel) and node.ops == ("=",):
        head, node = node.items
    tuples = node.items if isinstance(node, Seq) and not node.open else (node,)
    if match["x2"] and not (head or any(isinstance(one, Seq) for one in tuples)):
        return node  # 1, 2, 3 in any order
    if isinstance(node, Seq) and node.open == "{":
        return node
    written: dict[Node, None] = {}
    for one in tuples:
        if not isinstance(one, Seq) or one.open != "(" or not 2 <= len(one.items) <= MAX_PERMUTED:
            return None
        for items in _orders(one.items, cyclic):
            written[Seq("(", ")", items)] = None
    listed = Seq("", "", tuple(written))
    return listed if head is None else Rel(("=",), (head, listed))


def _orders(items: tuple[Node, ...], cyclic: bool) -> list[tuple[Node, ...]]:
    if cyclic:
        return [items[at:] + items[:at] for at in range(len(items))]
    return list(permutations(items))


# ---------------------------------------------------------------- whole numbers

_NAME = r"\\?[a-zA-Z](?![a-zA-Z])"
_SUBJECT = re.compile(
    rf"(?:({_NAME}) (?:is|are|must be|can be|may be|=|can be any of)(?: an?| any| all| every)? "
    r"|(?:the )?(?:set of )?(?:precisely |exactly |only )?"
    r"(?:all|any|every|each|the)?(?: of)?(?: the)? ?(?:possible |values of )?)",
    re.IGNORECASE,
)
_ADJECTIVE = re.compile(
    r"(positive|negative|non-?negative|non-?zero|odd|even|prime|whole|natural)(?: |$)", re.I
)
_NOUN = re.compile(
    rf"(?:(integers?|numbers?|naturals?|primes?)(?![a-z])|(multiples? of (\d{{1,4}}))|({_NAME}))",
    re.IGNORECASE,
)
_NAMED = re.compile(rf"({_NAME})")
_FILLER = re.compile(
    rf",? ?(?:(?:that|which|such that|with|where|for which|so that|and|are|is|it is|satisfying|"
    rf"being|{_NAME} (?:is|are)|{_NAME}(?= ?(?:odd|even|prime|[<>]|\\[gln]e|\\equiv)))"
    r"(?![a-z]),? ?){0,4}"
)
_END = r"(?=,? (?:and|that|which|with|except|other|but|such)(?![a-z])|,|$)"
_VALUE = rf"(.{{1,60}}?){_END}"
_MOD = r"\(?(?:modulo|mod|\\pmod|\\bmod|\\mod) ?\{?(\d{1,4})\}?\)?"
_NUMBERS = r"-?\d{1,6}(?: ?(?:or|,|and) ?-?\d{1,6}){0,8}"
_QUALITIES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("notclass", r"not (?:a )?(?:divisible by|multiples? of) (\d{1,4})(?!\d)"),
        ("class", r"(?:a )?(?:divisible by|multiples? of) (\d{1,4})(?!\d)"),
        ("mod", rf"(?:congruent to|(?:{_NAME} ?)?\\?equiv) ?({_NUMBERS}) ?{_MOD}"),
        ("left", r"leav(?:e|es|ing) (?:a )?remainder (?:of )?(\d{1,4}) (?:when|upon|on) "
                 r"(?:divided|division) by (\d{1,4})"),
        ("form", r"of (?:the )?form (.{1,60}?)(?:,? (?:where|with|for) .{1,60})?$"),
        (">=", r"(?:greater than or equal to|at least|not less than|no less than|\\geq?|"
               rf"\\geqslant|>=) ?{_VALUE}"),
        ("<=", r"(?:less than or equal to|at most|not exceeding|not greater than|no more than|"
               rf"up to|\\leq?|\\leqslant|<=) ?{_VALUE}"),
        (">", r"(?:greater than|larger than|bigger than|more than|exceeding|above|>) ?" + _VALUE),
        ("<", rf"(?:less than|smaller than|below|<) ?{_VALUE}"),
        ("!=", r"(?:except(?: for)?|other than|excluding|not equal to|\\neq?|different from) ?"
               r"(.{1,60}?)(?=,? (?:that|which|with|such)(?![a-z])|$)"),
        ("between", r"(?:from|between) (-?\d{1,6}) (?:to|and) (-?\d{1,6})(,? inclusive)?"),
        ("odd", r"odd(?![a-z])"),
        ("even", r"even(?![a-z])"),
        ("prime", r"prime(?![a-z])"),
        ("positive", r"positive(?![a-z])"),
    )
)  # fmt: skip


_WHOLE_QUALITIES = ("class", "notclass", "mod", "left", "form", "odd", "even", "prime")
"""What only whole numbers are."""

_WHOLE_NAMES = frozenset("nmkNMpqabcxlrs")
_LONE = re.compile(r"(?<![a-zA-Z])[b-zB-Z](?![a-zA-Z])")


class _Sentence:
    """A place in a sentence, and what was said of its element so far."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.name = ""
        self.conditions: list[Node] = []

    def read(self) -> Node | None:
        subject = _SUBJECT.match(self.text)
        if subject is not None:
            self.name = (subject[1] or "").lstrip("\\")
            self.at = subject.end()
        whole, word = False, ""
        while (adjective := self.take(_ADJECTIVE)) is not None:
            word = adjective[1].lower().replace("-", "")
            whole = whole or word in ("odd", "even", "prime", "whole", "natural")
            self.quality(word)
        noun = self.take(_NOUN)
        if noun is not None:
            whole = self.noun(noun) or whole
            self.skip()
            if not noun[4] and (named := self.take(_NAMED)) is not None:
                if self.name and self.name != named[1]:
                    return None
                self.name = named[1].lstrip("\\")
        elif not self.name and not (word == "prime" and self.text[:3] != "pri"):
            return None  # "odd" alone may speak of a function
        if self.name and self.name not in _WHOLE_NAMES:
            return None
        while self.at < len(self.text) and len(self.conditions) <= MAX_CONDITIONS:
            before = self.at
            filler = self.take(_FILLER)
            if filler and any(name != self.name for name in _LONE.findall(filler[0])):
                return None
            for kind, pattern in _QUALITIES:
                found = self.take(pattern)
                if found is not None:
                    if not self.qualified(kind, found):
                        return None
                    whole = whole or kind in _WHOLE_QUALITIES
                    break
            else:
                return None
            if self.at == before:
                return None
        return self.built() if whole else None

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        self.skip()
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at] == " ":
            self.at += 1

    def noun(self, found: re.Match[str]) -> bool:
        """Whether the noun says that they are whole numbers."""
        word = (found[1] or "").lower()
        if found[3]:
            self.congruent(0, int(found[3]))
            return True
        if found[4]:
            self.name = found[4].lstrip("\\")
            return False
        if word.startswith("prime"):
            self.quality("prime")
        if word.startswith("natural"):
            self.quality("natural")
        return not word.startswith("number")

    def symbol(self) -> Node:
        return Sym(self.name or ELEMENT)

    def quality(self, word: str) -> None:
        """What an adjective says."""
        bound = {"positive": (">=", 1), "negative": ("<=", -1), "nonnegative": (">=", 0),
                 "nonzero": ("!=", 0)}.get(word)  # fmt: skip
        if bound is not None:
            self.conditions.append(Rel((bound[0],), (_ELEMENT, Num(bound[1]))))
        elif word in ("odd", "even"):
            self.congruent(int(word == "odd"), 2)
        elif word == "prime":
            self.conditions.append(Rel(("in",), (_ELEMENT, Text("primes"))))
        elif word == "natural":
            self.conditions.append(Rel(("in",), (_ELEMENT, Const("N"))))

    def congruent(self, residue: int, modulus: int) -> None:
        right = Op("pmod", (Num(residue), Num(modulus)))
        self.conditions.append(Rel(("equiv",), (_ELEMENT, right)))

    def qualified(self, kind: str, found: re.Match[str]) -> bool:
        if kind in ("odd", "even", "prime", "positive"):
            self.quality(kind)
        elif kind == "class":
            self.congruent(0, int(found[1]))
        elif kind == "notclass":
            right = Op("such", (_ELEMENT, _class(0, int(found[1]))))
            self.conditions.append(Rel(("notin",), (_ELEMENT, right)))
        elif kind == "mod":
            residues = [int(part) for part in re.findall(r"-?\d+", found[1])]
            classes = tuple(_class(residue, int(found[2])) for residue in residues)
            self.conditions.append(classes[0] if len(classes) == 1 else Seq("", "", classes, "or"))
        elif kind == "left":
            self.congruent(int(found[1]), int(found[2]))
        elif kind == "between":
            ends = sorted((int(found[1]), int(found[2])))
            if not found[3] and "between" in found[0].lower():
                return False  # with the ends or without, nobody knows
            self.conditions.append(Rel(("<=", "<="), (Num(ends[0]), _ELEMENT, Num(ends[1]))))
        else:
            try:
                value = parse(found[1])
            except ParseError:
                return False
            if kind == "form":
                return self.form(value)
            if isinstance(value, Rel):
                return False
            values = value.items if isinstance(value, Seq) and not value.open else (value,)
            if len(values) > 1 and kind != "!=":
                return False
            self.conditions.extend(Rel((kind,), (_ELEMENT, one)) for one in values)
        return True

    def form(self, value: Node) -> bool:
        """4k + 1 for any whole k."""
        symbols = {part.name for part in _symbols(value)}
        if len(symbols) != 1:
            return False
        declares = Rel(("in",), (Sym(symbols.pop()), Const("Z")))
        self.conditions.append(Rel(("in",), (_ELEMENT, Op("such", (value, declares)))))
        return True

    def built(self) -> Node:
        element = self.symbol()
        conditions = tuple(exchanged(c, {_ELEMENT: element}) for c in self.conditions)
        belongs = Rel(("in",), (element, Const("Z")))
        if not conditions:
            return Const("Z")
        condition = conditions[0] if len(conditions) == 1 else Seq("", "", conditions, "and")
        return Op("such", (belongs, condition))


_ELEMENT = Sym("element")


def _class(residue: int, modulus: int) -> Node:
    return Rel(("equiv",), (_ELEMENT, Op("pmod", (Num(residue), Num(modulus)))))


def _symbols(node: Node) -> list[Sym]:
    if isinstance(node, Sym):
        return [node]
    return [s for arg in node.args for s in _symbols(arg)] if isinstance(node, Op) else []
