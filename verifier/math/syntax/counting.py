r"""Combinations and permutations: `C_9^4`, `{}_9C_4`, `^9C_4`, `A_n^k`, `12C5`.

Invariant: `C_1^2`, a constant to a power, stays one: of numbers, more are never chosen
than there are.
"""

from __future__ import annotations

from verifier.math.syntax.brackets import argument
from verifier.math.syntax.reader import Reader
from verifier.math.syntax.scripts import script
from verifier.math.syntax.tokens import Token
from verifier.math.tree import Node, Num, Op

_NAMES = {"C": "binom", "A": "perm", "P": "perm"}
_FROM = frozenset("nmN")
"""Letters for what is chosen from; another letter below `C` is an index."""
_CHOSEN = frozenset("klmnrijpqst")
MAX_SCRIPT = 7
"""Tokens of one of the numbers: `{n + k - 1}`."""


def with_scripts(reader: Reader, token: Token) -> Node | None:
    """After `C`, `A` or `P`: the number of choices its two scripts tell, if they do."""
    name, mark = _NAMES.get(token.text), reader.peek().text
    if name is None or mark not in ("_", "^"):
        return None
    first = _script(reader, 1)
    if first is None or {mark, reader.peek(1 + first[1]).text} != {"_", "^"}:
        return None
    second = _script(reader, 2 + first[1])
    if second is None:
        return None
    total, chosen = (first[0], second[0]) if mark == "_" else (second[0], first[0])
    if not _chooses(total, chosen):
        return None
    reader.at += 1
    one = script(reader)
    reader.at += 1
    two = script(reader)
    return Op(name, (one, two) if mark == "_" else (two, one))


def before_name(reader: Reader) -> Node | None:
    r"""At `{}_9C_4`, `_nC_k`, `^9P_4`, behind its first brace or mark."""
    skipped = 2 if reader.peek(-1).text == "{" else 0
    if skipped and (reader.peek().text != "}" or reader.peek(1).text not in ("_", "^")):
        return None
    run = reader.peek(skipped)
    if run.kind == "word" and len(run.text) == 2 and run.text[0] in _FROM:  # `_nC_k`
        name, length = run.text[1], 1
    else:
        found = _script(reader, skipped)
        if found is None:
            return None
        name, length = reader.peek(skipped + found[1]).text, found[1] + 1
    if name not in ("C", "P") or reader.peek(skipped + length).text != "_":
        return None
    reader.at += skipped
    total = argument(reader) if run.kind == "word" else script(reader)
    reader.at += 2
    return Op(_NAMES[name], (total, script(reader)))


def between_numbers(reader: Reader, left: Num) -> Node | None:
    """`12C5`, written without a space."""
    here, behind = reader.peek(), reader.peek(1)
    if here.text not in ("C", "P") or here.gap or behind.kind != "num" or behind.gap:
        return None
    if not behind.text.isdigit() or left.places >= 0 or reader.peek(-1).kind != "num":
        return None
    reader.at += 2
    return Op(_NAMES[here.text], (left, Num(int(behind.text[:9]))))


def _script(reader: Reader, ahead: int) -> tuple[list[str], int] | None:
    """The plain tokens of a script, and how many tokens it takes."""
    first = reader.peek(ahead)
    if first.text != "{":
        plain = first.kind == "num" or (first.kind == "word" and len(first.text) == 1)
        return ([first.text], 1) if plain else None
    inner: list[str] = []
    while len(inner) <= MAX_SCRIPT:
        token = reader.peek(ahead + 1 + len(inner))
        if token.text == "}":
            return (inner, len(inner) + 2) if inner else None
        if token.kind not in ("num", "word") and token.text not in ("+", "-"):
            return None
        inner.append(token.text)
    return None


def _chooses(total: list[str], chosen: list[str]) -> bool:
    if len(total) == len(chosen) == 1 and total[0].isdigit() and chosen[0].isdigit():
        return len(total[0]) < 10 and int(total[0]) >= 2 and int(chosen[0]) <= int(total[0])
    if chosen[0] in ("+", "-") or not all(
        part in "+-" or part.isdigit() or part in _CHOSEN for part in chosen
    ):
        return False
    letters = [part for part in total if part.isalpha()]
    return all(len(part) == 1 for part in letters) and (
        not _FROM.isdisjoint(letters) if letters else chosen[0].isalpha()
    )
