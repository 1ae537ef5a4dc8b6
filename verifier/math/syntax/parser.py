r"""Tokens to a tree: a Pratt parser for LaTeX and plain text.

Read leniently, as a person would: `\frac12`, `\sqrt3`, `2x`, `sin 2x`, `1 1/2`,
`0.\overline{3}`, `204_5`, a missing bracket of a known kind. Words that are neither
functions nor units are not mathematics: ParseError, and the caller compares as text.

Invariants:
- Raises ParseError and nothing else, on any text.
- Does no arithmetic; the only numbers made are those written, at most MAX_DIGITS long.
- Nesting at most MAX_DEPTH, so it never meets Python's recursion limit, and trees of
  at most MAX_TREE_DEPTH levels, so neither does who walks them.

Not covered: `f(x)` of a symbol other than a usual function name is a product; units
spelled out are kept as words.

Here are only the loop and the lists; what each construct is, the modules beside know.
"""

from __future__ import annotations

from verifier.math.syntax.bases import with_bases
from verifier.math.syntax.brackets import (
    angle,
    bars_until,
    bracketed,
    closes_outward,
    group,
    restricts,
)
from verifier.math.syntax.cleaning import clean
from verifier.math.syntax.commands import command
from verifier.math.syntax.counting import before_name
from verifier.math.syntax.environments import environment
from verifier.math.syntax.juxtaposition import applied, juxtaposed
from verifier.math.syntax.names import first_letter, leading_text, name_or_letters
from verifier.math.syntax.numerals import MAX_DIGITS, number, written_number
from verifier.math.syntax.operators import (
    addition,
    composes,
    composition,
    congruence,
    factorial,
    modulo,
    negate,
    product,
    ratio,
    relation,
    set_operation,
)
from verifier.math.syntax.reader import BP_LIST, BP_MUL, BP_SIGN, Reader
from verifier.math.syntax.scripts import degrees, raised, subscripted
from verifier.math.syntax.spoken import in_digits
from verifier.math.syntax.tokens import STOP, ParseError, Token, tokenize, vectors
from verifier.math.syntax.trailing import drop_remark, signed_unit, word_after
from verifier.math.syntax.vocabulary import CLOSING, CURRENCIES, ENDING, JOIN, RELATIONS, SET_OPS
from verifier.math.tree import Base, Const, Node, Op, Rel, Seq, Sym, Text, children

_MAPS = frozenset(("\\sigma", "\\tau", "\\phi", "\\psi", "\\varphi", "\\rho", "\\pi"))
"""What maps and permutations are called beside letters."""

MAX_TREE_DEPTH = 24
"""Levels of a tree, chains such as `1/2/3` and `3!!!` included. Whatever walks a tree
later takes at most five frames for a level, and a tree printed with all its brackets is
no deeper than MAX_DEPTH; people do not nest beyond ten."""

MAX_LEVELS_PER_TOKEN = 3
"""A token of a unit or of a number gives at most so many."""

MAX_MISSING = 3
"""Closing braces that may be missing at the end of an answer cut off too early."""


def parse(text: str) -> Node:
    """The tree of an answer. Raises ParseError."""
    if len(text) <= MAX_DIGITS and text.isdigit() and text.isascii():
        return number(text)  # most answers
    text = in_digits(clean(text))
    tokens = tokenize(text)
    if text.count("{") != text.count("}"):
        tokens = _mended(tokens)
    if "_" in text or "base" in text:
        tokens = with_bases(tokens)
    while tokens and tokens[-1].text in (".", ",", ";", "\\\\", "\\", ":", "!!!", "?"):
        tokens.pop()
    while tokens and tokens[0].text in ("=", "\\approx", "\\therefore", ":", ","):
        tokens.pop(0)
    if not tokens:
        raise ParseError("nothing to read")
    parser = Parser(tokens)
    if "\\times" in text:
        parser.vectors = vectors(text)
    node = parser.listing()
    parser.expect_end()
    if len(tokens) > MAX_TREE_DEPTH // MAX_LEVELS_PER_TOKEN:
        _check_depth(node)
    return node


def _mended(tokens: list[Token]) -> list[Token]:
    """With the few closing braces that are missing at the very end; without one too many."""
    missing = 0
    for token in tokens:
        if token.kind == "op":
            missing += (token.text == "{") - (token.text == "}")
            if missing < -1:
                return tokens
    if 0 < missing <= MAX_MISSING:
        return tokens + [Token("op", "}", False)] * missing
    if missing == -1 and tokens[-1].text == "}":
        return tokens[:-1]
    return tokens


def _check_depth(node: Node) -> None:
    level: list[Node] = [node]
    for _ in range(MAX_TREE_DEPTH):
        level = [child for parent in level for child in children(parent)]
        if not level:
            return
    raise ParseError(f"a tree of more than {MAX_TREE_DEPTH} levels")


def _joined(first: str, second: str) -> str:
    """What two joiners side by side are: ", and" is a comma, "and," a word all the same."""
    if second == "," or (first == "," and second == "and"):
        return first
    return second


class Parser(Reader):
    """The Pratt loop: which construct the token at hand starts or continues."""

    # ------------------------------------------------------------ lists

    def listing(self) -> Node:
        """A bare list, or the one item there is. "and", "or" and ";" bind looser than ","."""
        groups: list[list[Node]] = [[self.expr(BP_LIST)]]
        joined = ""
        while True:
            join = self.joiner()
            if join is None and self.peek().text == "(" and restricts(self, groups[-1][-1]):
                groups[-1].append(self.expr(BP_LIST))
                continue
            if join is None:
                break
            self.at += 1
            while self.joiner() is not None:  # ", and"
                join = _joined(join, self.joiner() or join)
                self.at += 1
            if self.peek().kind == STOP or self.peek().text in CLOSING:
                break
            if drop_remark(self):
                break
            item = self.expr(BP_LIST)
            if join == ",":
                groups[-1].append(item)
            else:
                joined = joined or join
                groups.append([item])
        if self.peek().kind != STOP:
            drop_remark(self)
        if not joined:
            items = groups[0]
            return items[0] if len(items) == 1 else Seq("", "", tuple(items))
        if any(len(group) > 1 for group in groups):
            if all(isinstance(item, Rel) for group in groups for item in group) or joined == ";":
                parts = [g[0] if len(g) == 1 else Seq("", "", tuple(g)) for g in groups]
                return Seq("", "", tuple(parts), joined)
            joined = "," if joined == "and" else joined  # "1, 2 and 3" is one list
        return Seq("", "", tuple(item for group in groups for item in group), joined)

    def joiner(self) -> str | None:
        """What joins the next list item, if anything does."""
        token = self.peek()
        if token.kind == "text" or token.kind == "word":
            return JOIN.get(token.text.lower())
        if token.kind == "cmd":  # a new line outside of an environment
            return "," if token.text == "\\\\" else JOIN.get(token.text[1:])
        return token.text if token.text in (",", ";") else None

    # ------------------------------------------------------------ the Pratt loop

    def expr(self, power: int) -> Node:
        self.deeper()
        left = self.prefix()
        while True:
            token = self.peek()
            if token.kind == STOP:
                break
            step = self.infix(left, token, power)
            if step is None:
                break
            left = step
        self.depth -= 1
        return left

    def prefix(self) -> Node:
        token = self.take()
        if token.kind == "num":
            return written_number(self, token)
        if token.kind == "word":
            return name_or_letters(self, token)
        if token.kind == "cmd":
            return command(self, token)
        if token.kind == "letters":
            return first_letter(self, token)
        if token.kind == "base":
            digits, _, base = token.text.partition("_")
            return Base(digits, int(base))
        if token.kind == "text":
            return leading_text(self, token)
        text = token.text
        if text == "-":
            return negate(self.expr(BP_SIGN))
        if text == "+":
            return self.expr(BP_SIGN)
        if text in ("(", "[", "]"):
            return bracketed(self, text)
        if text in ("{", "_", "^") and (choices := before_name(self)) is not None:
            return choices
        if text == "{":
            return group(self)
        if text == "|":
            return bars_until(self, "abs", ("|", "\\rvert", "\\vert"))
        if text in ("...", ".."):
            return Const("dots")
        if text == "<":  # <1, 2, 3> written for a vector
            return angle(self)
        raise ParseError(f"unexpected {text!r}" if text else "ends too early")

    def environment(self, braced: bool) -> Node:
        return environment(self, braced)

    def infix(self, left: Node, token: Token, power: int) -> Node | None:
        """The tree with the operator at hand applied to `left`; None: it binds looser."""
        text = token.text
        if token.kind == "op":
            if text in ("^", "**"):
                return raised(self, left, power)
            if text == "_":
                return subscripted(self, left)
            if text == "!":
                return factorial(self, left, power)
            if text == "'":
                self.at += 1
                return Op("prime", (left,))
            if text in ("%",):
                self.at += 1
                return Op("percent", (left,))
            if text in ("+", "-"):
                return addition(self, left, power)
            if text in ("*", "/"):
                return product(self, left, text, power)
            if text == ":":
                return None if self.in_set else ratio(self, left, power)
            if text in RELATIONS:
                return relation(self, left, power)
            if text == "(" and self.peek(1).text in ("\\bmod", "\\mod", "mod"):
                return congruence(self, left, power)
            if text == "(" and not applied(self, left) and restricts(self, left):
                return None
            if text in ("(", "{") or (text == "[" and not closes_outward(self)):
                return juxtaposed(self, left, power)
            if (
                text == "|"
                and self.bars == 0
                and not self.in_set
                and self.at + 1 < len(self.tokens)
            ):
                return juxtaposed(self, left, power)
            if text in ("...", ".."):
                return juxtaposed(self, left, power)
            return None
        if token.kind == "cmd":
            name = text[1:]
            if name in ("Omega", "mu") and power < BP_MUL and (unit := signed_unit(self, left)):
                return unit
            if name in RELATIONS:
                return relation(self, left, power)
            if name == "not" and self.peek(1).text in ("=", "\\in"):
                return relation(self, left, power)
            if name in ("cdot", "times", "ast", "cdotp", "bullet"):
                return product(self, left, "*", power)
            if name in ("div",):
                return product(self, left, "/", power)
            if name in ("bmod", "mod", "pmod"):
                return modulo(self, left, power)
            if name in ("pm", "mp"):
                return addition(self, left, power)
            if name == "%":
                self.at += 1
                return Op("percent", (left,))
            if name in ("circ", "degree"):
                if name == "circ" and composes(self, left):
                    return composition(self, left, power)
                self.at += 1
                follow = self.peek()
                if isinstance(left, Sym) and (
                    (len(follow.text) == 1 and follow.text.isalpha() and follow.text not in "CF")
                    or follow.text in _MAPS
                    or follow.text == "("
                ):
                    return Op("call", (left, self.expr(BP_MUL)))  # f after g
                return degrees(self, left)
            if name in SET_OPS:
                return set_operation(self, left, power)
            if name in CURRENCIES:
                self.at += 1
                return Op("unit", (left, Text(CURRENCIES[name])))
            if name in ("prime",):
                self.at += 1
                return Op("prime", (left,))
            if text in CLOSING or name in ENDING:
                return None
            if name in ("lvert", "vert", "lVert", "Vert", "|") and self.bars and name[0] != "l":
                return None
            return juxtaposed(self, left, power)
        if token.kind in ("num", "base", "letters"):
            return juxtaposed(self, left, power)
        return word_after(self, left, token, power)
