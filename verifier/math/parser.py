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
"""

from __future__ import annotations

import re
from fractions import Fraction

from verifier.math.tokens import FUNCTIONS, ParseError, Token, clean, tokenize
from verifier.math.tree import Base, Const, Matrix, Node, Num, Op, Rel, Seq, Sym, Text, children
from verifier.math.units import canonical
from verifier.math.vocabulary import (
    CLOSER,
    CLOSING,
    CONST_COMMANDS,
    CONST_WORDS,
    DEGREE,
    DROP_AFTER,
    ENDING,
    GREEK,
    GREEK_SAME,
    HEDGES,
    INVERSE,
    JOIN,
    MATRICES,
    MULTIPLES,
    NO_UNIT,
    PERCENT,
    RELATIONS,
    RENAMED,
    SCALING,
    SET_OPS,
    SHORT_FUNCTIONS,
    STOP,
    SUBJECT,
    UNITS,
    reads_as_word,
)

MAX_DEPTH = 50
"""Brackets, fractions and exponents inside each other. Each costs up to nine Python
frames of the thousand there are; people do not nest beyond ten."""

MAX_TREE_DEPTH = 64
"""Levels of a tree, chains such as `1/2/3` and `3!!!` included. Whatever walks a tree
later takes at most five frames for a level."""

MAX_BASE_DIGITS = 24
"""Digits and letters run together before a base."""

MAX_DIGITS = 2_000
"""Digits of one written number; more is padding, and int() of text is quadratic."""

MAX_EXPONENT_DIGITS = 6
"""Of `1e9`-style numbers; beyond, not even the magnitude is of use."""

# Binding powers, loosest first.
_BP_LIST, _BP_REL, _BP_RATIO, _BP_SET, _BP_SUM, _BP_MUL, _BP_SIGN, _BP_ARG, _BP_POW = (
    10, 20, 25, 30, 40, 50, 52, 55, 60,
)  # fmt: skip


def parse(text: str) -> Node:
    """The tree of an answer. Raises ParseError."""
    tokens = tokenize(clean(text))
    while tokens and tokens[-1].text in (".", ",", ";", "\\\\", "\\", ":", "!!!", "?"):
        tokens.pop()
    while tokens and tokens[0].text in ("=", "\\approx", "\\therefore", ":", ","):
        tokens.pop(0)
    if not tokens:
        raise ParseError("nothing to read")
    parser = _Parser(tokens)
    node = parser.listing()
    parser.expect_end()
    if len(tokens) > MAX_TREE_DEPTH // 2:
        _check_depth(node)
    return node


def _check_depth(node: Node) -> None:
    level: list[Node] = [node]
    for _ in range(MAX_TREE_DEPTH):
        level = [child for parent in level for child in children(parent)]
        if not level:
            return
    raise ParseError(f"a tree of more than {MAX_TREE_DEPTH} levels")


def add(items: list[Node]) -> Node:
    return items[0] if len(items) == 1 else Op("add", tuple(items))


def negate(node: Node) -> Node:
    """The written sign: a number takes it into itself."""
    if isinstance(node, Num) and node.value != 0:
        return Num(-node.value, node.places)
    return Op("neg", (node,))


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0
        self.bars = 0
        """Open absolute-value bars: in them `|` closes."""
        self.in_set = False
        """Directly in a set's braces: there `|` stands before a condition."""
        self.end = Token(STOP, "", False)

    # ------------------------------------------------------------ tokens

    def peek(self, ahead: int = 0) -> Token:
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else self.end

    def take(self) -> Token:
        token = self.peek()
        self.at += 1
        return token

    def accept(self, text: str) -> bool:
        if self.peek().text == text and self.peek().kind != "text":
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise ParseError(f"expected {text!r}, found {self.peek().text!r}")

    def expect_end(self) -> None:
        if self.peek().kind != STOP:
            raise ParseError(f"unexpected {self.peek().text!r}")

    def joiner(self) -> str | None:
        """What joins the next list item, if anything does."""
        token = self.peek()
        if token.kind == "text" or token.kind == "word":
            return JOIN.get(token.text.lower())
        if token.kind == "cmd":
            return JOIN.get(token.text[1:])
        return token.text if token.text in (",", ";") else None

    # ------------------------------------------------------------ lists

    def listing(self) -> Node:
        """A bare list, or the one item there is. "and", "or" and ";" bind looser than ","."""
        groups: list[list[Node]] = [[self.expr(_BP_LIST)]]
        joined = ""
        while True:
            join = self.joiner()
            if join is None:
                break
            self.at += 1
            while self.joiner() is not None:  # ", and"
                join = "," if join == "," and self.joiner() == "and" else self.joiner() or join
                self.at += 1
            if self.peek().kind == STOP or self.peek().text in CLOSING:
                break
            if self._drops():
                break
            item = self.expr(_BP_LIST)
            if join == ",":
                groups[-1].append(item)
            else:
                joined = joined or join
                groups.append([item])
        self._drops()
        if not joined:
            items = groups[0]
            return items[0] if len(items) == 1 else Seq("", "", tuple(items))
        if any(len(group) > 1 for group in groups):
            if all(isinstance(item, Rel) for group in groups for item in group) or joined == ";":
                parts = [g[0] if len(g) == 1 else Seq("", "", tuple(g)) for g in groups]
                return Seq("", "", tuple(parts), joined)
            joined = "," if joined == "and" else joined  # "1, 2 and 3" is one list
        return Seq("", "", tuple(item for group in groups for item in group), joined)

    def _drops(self) -> bool:
        """A remark that restricts nothing ("for all x") ends the answer."""
        token = self.peek()
        if token.kind == "cmd" and token.text == "\\forall":
            self._drop_rest()
            return True
        if token.kind == "text" and token.text.lower().startswith(DROP_AFTER):
            self._drop_rest()
            return True
        if (
            token.kind == "word"
            and token.text == "for"
            and self.peek(1).text in ("all", "any", "every")
        ):
            self._drop_rest()
            return True
        return False

    def _drop_rest(self) -> None:
        """A remark may restrict; one that offers something else is no remark."""
        for token in self.tokens[self.at :]:
            if token.kind in ("text", "word") and not HEDGES.isdisjoint(
                token.text.lower().replace(",", " ").split()
            ):
                raise ParseError(f"a remark that offers something else: {token.text!r}")
        self.at = len(self.tokens)

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

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ParseError(f"nested deeper than {MAX_DEPTH}")

    def infix(self, left: Node, token: Token, power: int) -> Node | None:
        """The tree with the operator at hand applied to `left`; None: it binds looser."""
        text = token.text
        if token.kind == "op":
            if text in ("^", "**"):
                return self.power(left, power)
            if text == "_":
                return self.subscript(left)
            if text == "!":
                return self.factorial(left, power)
            if text == "'":
                self.at += 1
                return Op("prime", (left,))
            if text in ("%",):
                self.at += 1
                return Op("percent", (left,))
            if text in ("+", "-"):
                return self.sum(left, power)
            if text in ("*", "/"):
                return self.product(left, text, power)
            if text == ":":
                return None if self.in_set else self.ratio(left, power)
            if text in RELATIONS:
                return self.relation(left, power)
            if text == "(" and self.peek(1).text in ("\\bmod", "\\mod", "mod"):
                return self.congruence(left, power)
            if text in ("(", "["):
                return self.juxtaposed(left, power)
            if text == "{":
                return self.juxtaposed(left, power)
            if (
                text == "|"
                and self.bars == 0
                and not self.in_set
                and self.at + 1 < len(self.tokens)
            ):
                return self.juxtaposed(left, power)
            if text in ("...", ".."):
                return self.juxtaposed(left, power)
            return None
        if token.kind == "cmd":
            name = text[1:]
            if name in RELATIONS:
                return self.relation(left, power)
            if name == "not" and self.peek(1).text in ("=", "\\in"):
                return self.relation(left, power)
            if name in ("cdot", "times", "ast", "cdotp", "bullet"):
                return self.product(left, "*", power)
            if name in ("div",):
                return self.product(left, "/", power)
            if name in ("bmod", "mod", "pmod"):
                return self.modulo(left, power)
            if name in ("pm", "mp"):
                return self.sum(left, power)
            if name == "%":
                self.at += 1
                return Op("percent", (left,))
            if name == "circ":
                self.at += 1
                return Op("deg", (left,))
            if name in SET_OPS:
                return self.set_operation(left, power)
            if name in ("$", "euro", "pounds", "yen"):
                self.at += 1
                return Op("unit", (left, Text("$" if name == "$" else name)))
            if name in ("prime",):
                self.at += 1
                return Op("prime", (left,))
            if text in CLOSING or name in ENDING:
                return None
            if name in ("lvert", "vert", "lVert", "Vert", "|") and self.bars and name[0] != "l":
                return None
            return self.juxtaposed(left, power)
        if token.kind == "num":
            return self.juxtaposed(left, power)
        return self.words(left, token, power)

    def words(self, left: Node, token: Token, power: int) -> Node | None:
        """A word after an operand: a joiner, a relation, a unit, or a factor."""
        word = token.text
        low = word.lower()
        if low in JOIN or low.startswith(DROP_AFTER):
            return None
        if low in PERCENT:
            self.at += 1
            return Op("percent", (left,))
        if low in DEGREE:
            self.at += 1
            return Op("deg", (left,))
        first, _, rest = low.partition(" ")
        if first in MULTIPLES and isinstance(left, Num):
            self.at += 1
            value = Op("mul", (left, Num(MULTIPLES[first])))
            _check_unit(rest)
            return Op("unit", (value, Text(rest))) if rest else value
        if token.kind == "text" and first in SCALING and not canonical(low)[1]:
            raise ParseError(f"words that change the number: {word!r}")
        if token.kind == "word":
            if low == "in" and self.peek(1).text in ("(", "[", "{", "\\{", "\\mathbb"):
                return self.relation(left, power)
            if word == "mod":
                return self.modulo(left, power)
            if word in ("U", "u", "union") and isinstance(left, Seq | Op) and self.peek(1).text in (
                "(", "[", "{", "\\{"):  # fmt: skip
                return self.set_operation(left, power)
            counted = token.gap and self.peek(1).kind == STOP and self.names_what_is_counted(left)
            if not (word in UNITS and (len(word) > 2 or token.gap)) and not counted:
                if self.for_remark():
                    return None
                return self.juxtaposed(left, power)
        if isinstance(left, Rel):
            raise ParseError(f"words after a relation: {word!r}")
        if power >= _BP_MUL:
            return None
        return Op("unit", (left, Text(self.unit())))

    def names_what_is_counted(self, left: Node) -> bool:
        """A last word behind a plain number: `20 zlotys`. Words that change the number do not."""
        word = self.peek().text
        return isinstance(left, Num) and word.lower() not in SCALING and reads_as_word(word)

    def for_remark(self) -> bool:
        return self.peek().text == "for" and self.peek(1).text in ("all", "any", "every", "each")

    def unit(self) -> str:
        """The words of a unit, powers and divisions included: `cm^2`, `miles per hour`."""
        parts: list[str] = []
        while True:
            token = self.peek()
            if token.kind in ("text", "word") and token.text.lower() not in JOIN:
                _check_unit(token.text)
                parts.append((" " if parts else "") + token.text)
            elif parts and token.text in ("^", "/") and self.peek(1).kind != STOP:
                if token.text == "/" and self.peek(1).kind not in ("text", "word"):
                    break
                parts.append(token.text)
                if self.peek(1).text == "{":
                    self.at += 2
                    while self.peek().kind != STOP and self.peek().text != "}":
                        if self.peek().kind not in ("num", "op"):
                            raise ParseError("a unit to a power that is no number")
                        parts.append(self.take().text)
                elif self.peek(1).kind == "num":
                    self.at += 1
                    parts.append(self.peek().text)
            else:
                break
            self.at += 1
        return "".join(parts)

    # ------------------------------------------------------------ operators

    def sum(self, left: Node, power: int) -> Node | None:
        if power >= _BP_SUM:
            return None
        items = [left]
        while True:
            name = self.peek().text.lstrip("\\")
            if name not in ("+", "-", "pm", "mp"):
                break
            self.at += 1
            if name == "+" and self.peek().kind == STOP:
                raise ParseError("nothing after +")
            right = self.expr(_BP_SUM)
            if name in ("pm", "mp"):
                items = [Op(name, (add(items), right))]
            else:
                items.append(negate(right) if name == "-" else right)
        return add(items)

    def product(self, left: Node, name: str, power: int) -> Node | None:
        if power >= _BP_MUL:
            return None
        self.at += 1
        right = self.expr(_BP_MUL)
        if name == "/":
            return Op("div", (left, right))
        return multiply(left, right)

    def modulo(self, left: Node, power: int) -> Node | None:
        """`17 \\bmod 5` is an operation; `\\pmod 5` a remark on a congruence."""
        if power >= _BP_MUL:
            return None
        name = self.take().text
        if name == "\\pmod":
            return Op("pmod", (left, self.argument()))
        return Op("mod", (left, self.expr(_BP_MUL)))

    def congruence(self, left: Node, power: int) -> Node | None:
        """`3 (\\bmod 4)`, written for `3 \\pmod 4`."""
        if power >= _BP_MUL:
            return None
        self.at += 2
        modulus = self.expr(_BP_LIST)
        self.expect(")")
        return Op("pmod", (left, modulus))

    def juxtaposed(self, left: Node, power: int) -> Node | None:
        """Two factors side by side; a mixed number; digits grouped by spaces."""
        token = self.peek()
        if isinstance(left, Num) and left.places < 0:
            grouped = self.grouped(left, token)
            if grouped is not None:
                return grouped
            mixed = self.mixed(left, token)
            if mixed is not None:
                return mixed
        if isinstance(left, Rel):
            raise ParseError(f"unexpected {token.text!r}")
        if token.kind == "num" and isinstance(left, Num):
            raise ParseError("two numbers side by side")
        if token.text == "(" and self.applied(left):
            return self.call(left)
        in_argument = power == _BP_ARG - 1
        if power >= _BP_MUL and not in_argument:
            return None
        if in_argument and self.function_ahead():
            return None  # sin x cos x is a product of two functions
        return multiply(left, self.expr(_BP_ARG))

    def function_ahead(self) -> bool:
        token = self.peek()
        name = token.text.lstrip("\\")
        return token.kind in ("cmd", "word") and name in FUNCTIONS and name != "sqrt"

    def grouped(self, left: Num, token: Token) -> Node | None:
        """`1 000 000`: groups of three digits set apart by spaces."""
        if token.kind != "num" or not token.gap or len(token.text.partition(".")[0]) != 3:
            return None
        if not 0 < left.value <= 999:
            return None
        text = str(left.value)
        while self.peek().kind == "num" and self.peek().gap:
            group, point, _ = self.peek().text.partition(".")
            if len(group) != 3:
                break
            text += self.take().text
            if point:
                break
        return number(text)

    def mixed(self, left: Num, token: Token) -> Node | None:
        r"""`2\frac34` and `1 1/2` are sums, as everywhere outside of algebra."""
        if token.text in ("\\frac", "\\dfrac", "\\tfrac", "\\cfrac"):
            start = self.at
            self.at += 1
            top, bottom = self.argument(), self.argument()
            if isinstance(top, Num) and isinstance(bottom, Num) and top.places < 0 < bottom.value:
                return _mixed(left, top, bottom)
            self.at = start
        elif (
            token.kind == "num"
            and token.gap
            and self.peek(1).text == "/"
            and self.peek(2).kind == "num"
        ):
            self.at += 3
            return _mixed(left, number(token.text), number(self.peek(-1).text))
        return None

    def applied(self, left: Node) -> bool:
        """Whether a bracket after `left` holds the argument of a function: f, f', f^{-1}."""
        if isinstance(left, Op) and isinstance(left.args[0], Sym):
            inverse = left.name == "pow" and left.args[1] == Num(-1)
            return (inverse or left.name == "prime") and self.called(left.args[0].name)
        return isinstance(left, Sym) and self.called(left.name)

    def called(self, name: str) -> bool:
        """Whether `name(` applies a function: by its usual name, or before an equals sign."""
        if name.partition("_")[0] in ("f", "g", "h", "F", "G", "phi", "psi"):
            return True
        if not (len(name) == 1 and (name.isupper() or name in "pqruvxyzsw")):
            return False
        at = 1
        while self.peek(at).text == "," or (
            self.peek(at).kind == "word" and len(self.peek(at).text) == 1
        ):
            at += 1
        return at > 1 and self.peek(at).text == ")" and self.peek(at + 1).text == "="

    def call(self, function: Node) -> Node:
        self.at += 1
        args = [self.expr(_BP_LIST)]
        while self.accept(","):
            args.append(self.expr(_BP_LIST))
        self.expect(")")
        return Op("call", (function, *args))

    def ratio(self, left: Node, power: int) -> Node | None:
        if power >= _BP_RATIO:
            return None
        parts = [left]
        while self.accept(":"):
            if self.peek().text == "=":  # `:=`
                return left
            parts.append(self.expr(_BP_RATIO))
        return Op("ratio", tuple(parts))

    def relation(self, left: Node, power: int) -> Node | None:
        if power >= _BP_REL:
            return None
        ops: list[str] = []
        items = [left]
        while True:
            token = self.peek()
            if token.kind == "text":
                break
            name = token.text.lstrip("\\")
            if name == "not":
                self.at += 1
                op = "!=" if self.peek().text == "=" else "notin"
            elif name in RELATIONS and (token.kind != "word" or name == "in"):
                op = RELATIONS[name]
            else:
                break
            self.at += 1
            ops.append(op)
            items.append(self.expr(_BP_REL))
        return Rel(tuple(ops), tuple(items))

    def set_operation(self, left: Node, power: int) -> Node | None:
        if power >= _BP_SET:
            return None
        token = self.take()
        name = SET_OPS.get(token.text[1:], "union")
        items = [left, self.expr(_BP_SET)]
        while SET_OPS.get(self.peek().text[1:]) == name or (
            name == "union" and self.peek().text in ("U", "union") and self.peek().kind == "word"
        ):
            self.at += 1
            items.append(self.expr(_BP_SET))
        return Op(name, tuple(items))

    def power(self, left: Node, power: int) -> Node | None:
        if power > _BP_POW:
            return None
        self.at += 1
        token = self.peek()
        if token.text in ("\\circ", "\\degree"):
            self.at += 1
            return Op("deg", (left,))
        if (
            token.text == "{"
            and self.peek(1).text in ("\\circ", "\\degree")
            and self.peek(2).text == "}"
        ):
            self.at += 3
            return Op("deg", (left,))
        if token.text in ("\\prime",) or (token.text == "{" and self.peek(1).text == "\\prime"):
            self.at += 1 if token.text != "{" else 3
            return Op("prime", (left,))
        exponent = self.script() if token.kind != "op" or token.text in "{|" else self.expr(_BP_POW)
        if self.peek().text in ("^", "**"):
            self.deeper()
            exponent = self.power(exponent, 0) or exponent
            self.depth -= 1
        return Op("pow", (left, exponent))

    def script(self) -> Node:
        """The argument of `^` or `_`: a group, a command, or one character."""
        token = self.peek()
        if token.text == "{":
            return self.argument()
        if token.kind == "cmd" or token.kind == "text":
            return self.expr(_BP_POW)
        if token.kind == "num":
            self.at += 1
            return number(token.text)
        return self.argument()

    def factorial(self, left: Node, power: int) -> Node | None:
        if power > _BP_POW:
            return None
        self.at += 1
        if self.accept("!"):
            return Op("fact2", (left,))
        return Op("fact", (left,))

    def subscript(self, left: Node) -> Node:
        """`a_1` is a name, `204_5` digits with a base, `F_{n-1}` a term of a sequence."""
        self.at += 1
        token = self.peek()
        if isinstance(left, Num):
            base = self.argument() if token.text == "{" else self.script()
            if isinstance(base, Num) and base.places < 0 and 2 <= base.value <= 36:
                return Base(_digits(left), int(base.value))
            raise ParseError("a number with a subscript that is no base")
        if token.text == "{" and self.peek(2).text == "}" and self.peek(1).kind in ("word", "cmd"):
            inner = self.peek(1).text.lstrip("\\")
            if inner in FUNCTIONS and isinstance(left, Sym):  # m_{\\max}
                self.at += 3
                return Sym(f"{left.name}_{inner}")
        index = self.argument() if token.kind != "text" else Text(self.take().text)
        if isinstance(left, Sym) and "_" not in left.name:
            if isinstance(index, Num) and index.places < 0 and index.value >= 0:
                return Sym(f"{left.name}_{index.value}")
            if isinstance(index, Sym) and index.name.isalnum() and len(left.name) == 1:
                return Sym(f"{left.name}_{index.name}")
            letters = _letters(index)
            if letters and len(left.name) == 1:
                return Sym(f"{left.name}_{letters}")
            if isinstance(index, Text):
                return Sym(f"{left.name}_{''.join(filter(str.isalnum, index.text)) or 'x'}")
        return Op("index", (left, index))

    # ------------------------------------------------------------ operands

    def prefix(self) -> Node:
        token = self.take()
        if token.kind in ("num", "word"):
            base = self.lettered_base(token)
            if base is not None:
                return base
            return self.written_number(token) if token.kind == "num" else self.word(token)
        if token.kind == "cmd":
            return self.command(token)
        if token.kind == "text":
            return self.leading_text(token)
        text = token.text
        if text == "-":
            return negate(self.expr(_BP_SIGN))
        if text == "+":
            return self.expr(_BP_SIGN)
        if text in ("(", "["):
            return self.bracketed(text)
        if text == "{":
            return self.group()
        if text == "|":
            return self.bars_until(("|",))
        if text in ("...", ".."):
            return Const("dots")
        if text == "<":  # <1, 2, 3> written for a vector
            return self.angle()
        raise ParseError(f"unexpected {text!r}" if text else "ends too early")

    def lettered_base(self, token: Token) -> Node | None:
        """`1A_{16}`, `FF_{16}`: digits and letters run together before a base over ten."""
        digits, ahead = token.text, 0
        while (
            self.peek(ahead).kind in ("num", "word")
            and not self.peek(ahead).gap
            and len(digits) <= MAX_BASE_DIGITS
        ):
            digits += self.peek(ahead).text
            ahead += 1
        if self.peek(ahead).text != "_" or len(digits) < 2 or not digits.isalnum():
            return None
        after = self.peek(ahead + 1)
        if after.text == "{":
            after = self.peek(ahead + 2)
        if (
            digits.isdigit()
            or digits.upper() != digits
            or after.kind != "num"
            or len(after.text) > 2
        ):
            return None
        if not after.text.isdigit() or not 10 < int(after.text) <= 36:
            return None
        self.at += ahead + 1
        self.argument()
        return Base(digits, int(after.text))

    def written_number(self, token: Token) -> Node:
        text = token.text
        follow = self.peek()
        if "." in text or self.peek().text == ".":
            repeating = self.repeating(text, follow)
            if repeating is not None:
                return repeating
        if "e" in text or "E" in text:
            mantissa, _, exponent = text.replace("E", "e").partition("e")
            if len(exponent.lstrip("+-0")) > MAX_EXPONENT_DIGITS:
                raise ParseError(f"exponent of more than {MAX_EXPONENT_DIGITS} digits")
            return Op("mul", (number(mantissa), Op("pow", (Num(10), Num(int(exponent))))))
        if follow.text == "." and follow.kind == "op" and not follow.gap:
            # "6." before something that closes or ends
            after = self.peek(1)
            if after.kind in (STOP, "text") or after.text in CLOSING:
                self.at += 1
        return number(text)

    def repeating(self, text: str, follow: Token) -> Node | None:
        r"""`0.1\overline{6}`, `0.\dot{3}`, `0.(3)` as the fraction they are."""
        if "." not in text:
            cycled = self.peek(1).text == "(" and self.peek(2).kind == "num"
            if self.peek(1).text not in ("\\overline", "\\dot", "\\bar") and not cycled:
                return None
            self.at += 1
            text, follow = text + ".", self.peek()
        whole, _, fixed = text.partition(".")
        if follow.text in ("\\overline", "\\dot", "\\bar", "\\overset"):
            self.at += 1
            cycle = self.digit_group()
            while self.peek().text in ("\\dot", "\\overline") or (
                follow.text == "\\dot" and self.peek().kind == "num"
            ):
                if self.peek().kind == "num":
                    cycle += self.take().text
                else:
                    self.at += 1
                    cycle += self.digit_group()
        elif (
            follow.text == "("
            and not follow.gap
            and self.peek(1).kind == "num"
            and self.peek(1).text.isdigit()
            and self.peek(2).text == ")"
        ):
            cycle = self.peek(1).text
            self.at += 3
        elif follow.text in ("...", "\\ldots", "\\dots", "\\cdots") and not follow.gap:
            cycle = _visible_cycle(fixed)
            if not cycle:
                return None
            self.at += 1
        else:
            return None
        if not cycle or len(cycle) + len(fixed) > MAX_DIGITS:
            raise ParseError("a repeating decimal without its digits")
        value = Fraction(int((whole or "0") + fixed or "0"), 10 ** len(fixed))
        value += Fraction(int(cycle), (10 ** len(cycle) - 1) * 10 ** len(fixed))
        return Op("div", (Num(value.numerator), Num(value.denominator)))

    def digit_group(self) -> str:
        braced = self.accept("{")
        token = self.take()
        if braced:
            self.expect("}")
        return token.text if token.kind == "num" and token.text.isdigit() else ""

    def word(self, token: Token) -> Node:
        word = token.text
        if len(word) == 1:
            if word in ("C", "P") and self.peek().text == "(" and self.peek(1).kind == "num":
                return self.chosen(word)
            return Const(word) if word in "ei" else Sym(word)
        if word in SHORT_FUNCTIONS and self.peek().text != "(":
            pass  # `re^{i t}` is a product
        elif word in FUNCTIONS or word in ("binom", "comb", "factorial", "ceiling"):
            return self.function(word)
        if word in CONST_WORDS:
            return Const(CONST_WORDS[word])
        if word in GREEK:
            return Sym(word)
        for name in ("sqrt", "sin", "cos", "tan", "log", "ln", "pi"):
            if word.startswith(name) and len(word) == len(name) + 1:
                return self.split(word, len(name))
            if word.endswith(name) and len(word) <= len(name) + 2:
                return self.split(word, len(word) - len(name))
        if reads_as_word(word):
            raise ParseError(f"a word: {word!r}")
        letters = [Const(c) if c in "ei" else Sym(c) for c in word]
        self.tokens[self.at : self.at] = [Token("word", c, False) for c in word[1:]]
        return letters[0]

    def split(self, word: str, cut: int) -> Node:
        """`xsin`, `2pi r` written without a space: two words."""
        self.at -= 1
        self.tokens[self.at : self.at + 1] = [
            Token("word", word[:cut], True),
            Token("word", word[cut:], False),
        ]
        return self.prefix()

    def chosen(self, name: str) -> Node:
        """C(10, 3) and P(10, 3)."""
        self.at += 1
        first = self.expr(_BP_LIST)
        if not self.accept(","):
            self.expect(")")
            return Op("mul", (Sym(name), first))
        second = self.expr(_BP_LIST)
        self.expect(")")
        return Op("binom" if name == "C" else "perm", (first, second))

    def leading_text(self, token: Token) -> Node:
        """`\\text{The answer is }12`: a subject that ends in a verb is dropped."""
        low = token.text.lower()
        if low.endswith(SUBJECT) and self.peek().kind != STOP:
            return self.expr(_BP_LIST)
        if low in ("yes", "no", "true", "false", "none") or self.peek().kind == STOP:
            raise ParseError(f"a word: {token.text!r}")
        if low in FUNCTIONS:
            return self.function(low)
        if low.isalpha() and self.peek().text in ("=", ":"):
            return Sym(low)
        raise ParseError(f"a word: {token.text!r}")

    def function(self, name: str) -> Node:
        """A named function with its power, base and argument."""
        if name in ("sqrt", "cbrt"):
            return self.radical(name)
        if name in ("binom", "comb"):
            self.expect("(")
            first = self.expr(_BP_LIST)
            self.expect(",")
            second = self.expr(_BP_LIST)
            self.expect(")")
            return Op("binom", (first, second))
        if name == "factorial":
            return Op("fact", (self.call_argument(),))
        name = RENAMED.get(name, name)
        exponent: Node | None = None
        base: Node | None = None
        while self.peek().text in ("^", "_"):
            if self.take().text == "^":
                exponent = self.script()
            else:
                base = self.script()
        if isinstance(exponent, Num) and exponent.value == -1 and name in INVERSE:
            name, exponent = INVERSE[name], None
        node: Node
        if name in ("max", "min", "gcd", "lcm"):
            node = Op(name, self.arguments())
        else:
            arg = self.call_argument()
            if name == "log" and base is not None:
                node = Op("log", (arg, base))
            elif name == "log10":
                node = Op("log", (arg, Num(10)))
            else:
                node = Op(name, (arg,))
        return Op("pow", (node, exponent)) if exponent is not None else node

    def call_argument(self) -> Node:
        """In parentheses, or the product of factors up to the next function."""
        token = self.peek()
        if token.text in ("(", "[", "{") and token.kind == "op":
            self.at += 1
            if token.text == "{":
                return self.group()
            inner = self.bracketed(token.text)
            if isinstance(inner, Seq):
                raise ParseError("a list where one argument is taken")
            return inner
        return self.expr(_BP_ARG - 1) if token.text not in ("-", "+") else self.expr(_BP_SIGN)

    def arguments(self) -> tuple[Node, ...]:
        braced = self.take().text
        if braced not in ("(", "\\{", "{", "["):
            raise ParseError("a function without its arguments")
        items = [self.expr(_BP_LIST)]
        while self.accept(","):
            items.append(self.expr(_BP_LIST))
        self.expect(CLOSER[braced])
        return tuple(items)

    def radical(self, name: str) -> Node:
        degree: Node | None = None
        if name == "cbrt":
            degree = Num(3)
        elif self.peek().text == "[":
            self.at += 1
            degree = self.expr(_BP_LIST)
            self.expect("]")
        if self.peek().text == "(":
            self.at += 1
            inner = self.bracketed("(")
        else:
            inner = self.argument()
        if isinstance(inner, Seq):
            raise ParseError("the root of a list")
        if degree is None or (isinstance(degree, Num) and degree.value == 2):
            return Op("sqrt", (inner,))
        return Op("root", (inner, degree))

    # ------------------------------------------------------------ brackets

    def group(self) -> Node:
        """What stands between LaTeX braces; a list there is a bare list."""
        if self.accept("}"):
            raise ParseError("an empty group")
        outer = self.bars, self.in_set
        self.bars, self.in_set = 0, False
        node = self.listing()
        if self.peek().text in ("\\choose", "\\over"):
            name = self.take().text
            node = Op("binom" if name == "\\choose" else "div", (node, self.listing()))
        self.bars, self.in_set = outer
        self.expect("}")
        return node

    def argument(self) -> Node:
        r"""The argument of a command: a group, one digit, one letter or one command."""
        token = self.peek()
        if token.text == "{" and token.kind == "op":
            self.at += 1
            return self.group()
        if token.kind == "num":
            return self.one_digit(token)
        if token.kind == "word":
            return self.one_letter(token)
        if token.kind in ("cmd", "text"):
            return self.expr(_BP_POW + 1)
        if token.text == "(":
            self.at += 1
            return self.bracketed("(")
        raise ParseError(f"expected an argument, found {token.text!r}")

    def one_digit(self, token: Token) -> Node:
        self.at += 1
        if len(token.text) > 1 and token.text.isdigit() and self.peek(-2).text != "\\sqrt":
            rest = Token("num", token.text[1:], False)
            self.tokens.insert(self.at, rest)
            return Num(int(token.text[0]))
        return self.written_number(token)

    def one_letter(self, token: Token) -> Node:
        self.at += 1
        if len(token.text) > 1:
            self.tokens.insert(self.at, Token("word", token.text[1:], False))
        letter = token.text[0]
        return Const(letter) if letter in "ei" else Sym(letter)

    def bracketed(self, opening: str) -> Node:
        """After `(`, `[`, `\\{` and their like: a group, tuple, interval or set."""
        outer = self.bars, self.in_set
        self.bars, self.in_set = 0, opening in ("\\{", "\\lbrace")
        node = self._bracketed(opening)
        self.bars, self.in_set = outer
        return node

    def _bracketed(self, opening: str) -> Node:
        mark = {"\\{": "{", "\\lbrace": "{", "\\langle": "<", "\\lbrack": "[", "\\lparen": "("}
        open_ = mark.get(opening, opening)
        if self.peek().text in CLOSING:
            self.at += 1
            if open_ == "{":
                return Const("empty")
            raise ParseError("empty brackets")
        inner = self.listing()
        if open_ == "{" and (self.peek().text in ("|", ":", "\\mid", "\\colon")):
            self.at += 1
            condition = self.listing()
            self._close_set()
            return Op("such", (inner, condition))
        closing = self.take().text
        if closing not in CLOSING or closing == "}":
            raise ParseError("a bracket is not closed")
        close = {
            "\\}": "}",
            "\\rbrace": "}",
            "\\rangle": ">",
            "\\rbrack": "]",
            "\\rparen": ")",
        }.get(closing, closing)
        if isinstance(inner, Seq) and not inner.open:
            if open_ in "([" and close in ")]" and inner.joined in ("or", "and"):
                return inner
            items = inner.items
            nested = inner.joined == ";" and any(isinstance(i, Seq) and not i.open for i in items)
            return Seq(open_, close, items, ";" if nested else ",")
        if open_ == "(" and close == ")":
            return inner
        if open_ == "[" and close == "]" and not isinstance(inner, Rel):
            return inner if not isinstance(inner, Num) else Seq("[", "]", (inner,))
        if open_ == "{" and close == "}":
            return Seq("{", "}", (inner,))
        if open_ == "<" and close == ">":
            return Seq("<", ">", (inner,))
        raise ParseError("brackets that do not match")

    def _close_set(self) -> None:
        if self.take().text not in ("\\}", "\\rbrace"):
            raise ParseError("a set is not closed")

    def angle(self) -> Node:
        items = [self.expr(_BP_SUM - 1)]
        while self.accept(","):
            items.append(self.expr(_BP_SUM - 1))
        self.expect(">")
        return Seq("<", ">", tuple(items))

    def bars_until(self, closing: tuple[str, ...]) -> Node:
        self.bars += 1
        inner = self.listing()
        self.bars -= 1
        if self.take().text not in closing:
            raise ParseError("a bar is not closed")
        return Op("abs", (inner,))

    # ------------------------------------------------------------ commands

    def command(self, token: Token) -> Node:
        name = token.text[1:]
        if name in ("frac", "dfrac", "tfrac", "cfrac"):
            top = self.argument()
            return Op("div", (top, self.argument()))
        if name in FUNCTIONS:
            return self.function(name)
        if name in CONST_COMMANDS:
            return Const(CONST_COMMANDS[name])
        if name in GREEK:
            return Sym(GREEK_SAME.get(name, name))
        if name in ("{", "langle", "lbrace", "lbrack", "lparen"):
            return self.bracketed(token.text)
        if name in ("binom", "dbinom", "tbinom"):
            top = self.argument()
            return Op("binom", (top, self.argument()))
        if name in ("lfloor", "lceil"):
            inner = self.listing()
            if self.take().text not in ("\\rfloor", "\\rceil"):
                raise ParseError("a floor is not closed")
            return Op("floor" if name == "lfloor" else "ceil", (inner,))
        if name in ("lvert", "vert", "lVert", "Vert", "|"):
            name = "norm" if name in ("lVert", "Vert", "|") else "abs"
            node = self.bars_until(("\\rvert", "\\vert", "|", "\\rVert", "\\Vert", "\\|"))
            return Op(name, node.args) if isinstance(node, Op) else node
        if name in ("sum", "prod"):
            return self.summation(name)
        if name in ("int", "lim"):
            return self.integral() if name == "int" else self.limit()
        if name == "begin":
            return self.environment()
        if name == "mathbb":
            self.accept("{")
            letter = self.take().text
            self.accept("}")
            if letter not in ("R", "Z", "N", "Q", "C"):
                raise ParseError(f"no known set: {letter!r}")
            return Const(letter)
        return self.rarer(name)

    def rarer(self, name: str) -> Node:
        if name in ("$", "euro", "pounds", "yen"):
            return Op("unit", (self.expr(_BP_SIGN), Text("$" if name == "$" else name)))
        if name in ("pm", "mp"):
            return Op(name, (self.expr(_BP_SIGN),))
        if name in ("overline", "bar", "dot", "ddot", "widetilde", "underline", "mathring"):
            inner = self.argument()
            if isinstance(inner, Sym | Const | Base):
                return Op("bar", (inner,))
            if self.peek(-1).text == "}" and _all_capitals(inner):
                return inner
            return Op("bar", (inner,))
        if name in ("angle", "triangle", "measuredangle", "odot"):
            return Op("mark", (Text(name), self.expr(_BP_ARG)))
        if name == "cancel":
            return self.argument()
        if name in ("partial", "nabla", "dagger", "top", "star", "ast", "square", "perp"):
            return Sym(name)
        if name in ("left", "right", "#"):
            while self.peek().text in ("\\left", "\\right", "\\#"):
                self.at += 1
            return self.prefix()
        if name == "%":
            raise ParseError("a percent sign without a number")
        for cut in range(len(name) - 1, max(1, len(name) - 3), -1):  # "\\cotx", "\\pir"
            known = name[:cut]
            if known in FUNCTIONS or known in GREEK or known in CONST_COMMANDS:
                self.tokens.insert(self.at, Token("word", name[cut:], False))
                return self.command(Token("cmd", "\\" + known, False))
        raise ParseError(f"unknown command \\{name}")

    def summation(self, name: str) -> Node:
        low = high = var = None
        while self.peek().text in ("_", "^"):
            if self.take().text == "_":
                low = self.argument()
            else:
                high = self.argument()
        if isinstance(low, Rel) and low.ops == ("=",) and isinstance(low.items[0], Sym | Const):
            var = Sym(low.items[0].name)
            start = low.items[1]
        else:
            raise ParseError("a sum without its index")
        if high is None:
            raise ParseError("a sum without its end")
        bound_i = low.items[0] == Const("i")
        body = self.expr(_BP_SUM)
        return Op(name, (var, start, high, _index_i(body) if bound_i else body))

    def integral(self) -> Node:
        low = high = None
        while self.peek().text in ("_", "^"):
            if self.take().text == "_":
                low = self.script()
            else:
                high = self.script()
        stop = self.at
        while self.peek().kind != STOP:
            here, var = self.peek(), self.peek(1)
            if here.text == "d" and var.kind in ("word", "cmd"):
                break
            if here.kind == "word" and len(here.text) == 2 and here.text[0] == "d":
                break
            self.at += 1
        if self.peek().kind == STOP:
            raise ParseError("an integral without its variable")
        end = self.at
        token = self.take()
        name = token.text[1:] or self.take().text.lstrip("\\")
        rest = self.tokens[self.at :]
        body_parser = _Parser(self.tokens[stop:end])
        body_parser.depth = self.depth
        body = body_parser.expr(_BP_REL) if end > stop else Num(1)
        body_parser.expect_end()
        self.tokens, self.at = self.tokens[: self.at] + rest, self.at
        limits = (low, high) if low is not None and high is not None else ()
        return Op("int", (Sym(name), *limits, body))

    def limit(self) -> Node:
        self.expect("_")
        at = self.argument()
        if not (isinstance(at, Rel) and at.ops == ("->",) and isinstance(at.items[0], Sym)):
            raise ParseError("a limit without its point")
        return Op("lim", (at.items[0], at.items[1], self.expr(_BP_SUM)))

    def environment(self) -> Node:
        kind = self.environment_name()
        if kind not in MATRICES:
            raise ParseError(f"unknown environment {kind!r}")
        if kind in ("array",) and self.accept("{"):
            while self.peek().kind != STOP and not self.accept("}"):
                self.at += 1
        rows: list[tuple[Node, ...]] = []
        row: list[Node] = []
        while True:
            token = self.peek()
            if token.text == "\\end":
                self.at += 1
                if self.environment_name() != kind:
                    raise ParseError("environments that do not match")
                break
            if token.kind == STOP:
                raise ParseError("an environment is not closed")
            if token.text == "\\\\":
                self.at += 1
                if row:
                    rows.append(tuple(row))
                    row = []
                continue
            if token.text in ("&", "\\hline", ",") or (token.text == "\\" and not row):
                self.at += 1
                continue
            row.append(self.cell())
        if row:
            rows.append(tuple(row))
        return _environment(kind, rows)

    def cell(self) -> Node:
        outer, self.bars = self.bars, 0
        if self.peek().text in ("=", "<", ">", "\\le", "\\ge", "\\leq", "\\geq"):
            # `x &= 2`: the relation goes on after the alignment mark.
            raise ParseError("an aligned equation")
        node = self.expr(_BP_LIST)
        self.bars = outer
        if self.peek().text not in ("&", "\\\\", "\\end", ",", "\\hline"):
            raise ParseError(f"unexpected {self.peek().text!r} in a cell")
        return node

    def environment_name(self) -> str:
        self.expect("{")
        name = ""
        while self.peek().kind != STOP and not self.accept("}"):
            name += self.take().text
        return name


def _environment(kind: str, rows: list[tuple[Node, ...]]) -> Node:
    if not rows:
        raise ParseError("an empty environment")
    if kind in ("cases", "dcases", "rcases"):
        if all(len(row) == 1 for row in rows):
            return Seq("", "", tuple(row[0] for row in rows))  # a system of equations
        if all(len(row) == 2 for row in rows):
            return Op("cases", tuple(cell for row in rows for cell in row))
        raise ParseError("cases of uneven width")
    if kind in ("aligned", "align", "align*", "gathered", "split"):
        return Seq("", "", tuple(cell for row in rows for cell in row))
    if len({len(row) for row in rows}) != 1:
        raise ParseError("a matrix with uneven rows")
    matrix = Matrix(tuple(rows))
    return Op("det", (matrix,)) if kind in ("vmatrix", "Vmatrix") else matrix


def multiply(left: Node, right: Node) -> Node:
    if isinstance(left, Op) and left.name == "mul":
        return Op("mul", (*left.args, right))
    return Op("mul", (left, right))


def number(text: str) -> Num:
    """The written number. Raises ParseError beyond MAX_DIGITS."""
    if len(text) > MAX_DIGITS:
        raise ParseError(f"a number of more than {MAX_DIGITS} digits: {len(text)}")
    if "." in text:
        whole, _, part = text.partition(".")
        return Num(Fraction(int((whole or "0") + part), 10 ** len(part)), len(part))
    if not text.isdigit():
        raise ParseError(f"not a number: {text!r}")
    return Num(int(text))


_POWERS = re.compile(r"\^\s*\{?\s*-?\d+\s*\}?")
_LETTERS = re.compile(r"[^\W\d_]+")


def _check_unit(text: str) -> None:
    """Refuses words behind a number that could say another answer: "apples or 4"."""
    if not text or canonical(text)[1]:
        return
    plain = _POWERS.sub("", text.lower())
    if any(char.isdigit() or char in "()[]{}" for char in plain):
        raise ParseError(f"more than a unit: {text!r}")
    if not NO_UNIT.isdisjoint(_LETTERS.findall(plain)):
        raise ParseError(f"more than a unit: {text!r}")


def _mixed(whole: Num, top: Num, bottom: Num) -> Node:
    return Op("add", (whole, Op("div", (top, bottom))))


def _digits(node: Num) -> str:
    return str(node.value)


def _visible_cycle(digits: str) -> str:
    """The cycle of "0.333..." or "0.142857142857...": what visibly repeats to the end."""
    for size in range(1, len(digits) // 2 + 1):
        cycle = digits[-size:]
        repeats = 0
        while digits.endswith(cycle * (repeats + 1)):
            repeats += 1
        if repeats * size >= len(digits) - 1 and repeats >= (3 if size == 1 else 2):
            return cycle
    return ""


def _index_i(node: Node) -> Node:
    """With `i` bound as an index, `i` in the body is that index and not the unit."""
    if node == Const("i"):
        return Sym("i")
    if isinstance(node, Op):
        return Op(node.name, tuple(_index_i(arg) for arg in node.args))
    return node


def _letters(node: Node) -> str:
    """The letters of a product of one-letter capitals (a polygon's name), else ""."""
    if isinstance(node, Op) and node.name == "mul" and _all_capitals(node):
        return "".join(arg.name for arg in node.args if isinstance(arg, Sym))
    return ""


def _all_capitals(node: Node) -> bool:
    if isinstance(node, Sym):
        return node.name[0].isupper()
    return isinstance(node, Op) and node.name == "mul" and all(map(_all_capitals, node.args))
