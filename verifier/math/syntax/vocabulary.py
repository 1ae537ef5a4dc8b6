"""The words the parser knows: commands, functions, relations, brackets, units, plain words."""

from __future__ import annotations


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


FUNCTIONS = word_set(
    """
    sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc sinh cosh tanh coth sech
    csch arcsinh arccosh arctanh asin acos atan asinh acosh atanh arsinh arcosh artanh arsh arch
    arth sh ch th cth arcctg cis ln log lg exp sqrt cbrt abs max
    min gcd lcm floor ceil det sgn sign Re Im arg re im tg ctg arctg cosec erf deg sinc Arcsin
    Arccos Arctan Arg Res tr rank dim ker Var round
    """
)
"""Names of functions that may stand without a backslash."""

TEXT_COMMANDS = frozenset(
    ("text", "mbox", "textbf", "textit", "textrm", "textnormal", "textsf", "texttt", "hbox",
     "mathrm", "rm", "mathbf", "bf", "mathit", "mathsf", "mathtt", "boldsymbol", "bm",
     "operatorname", "mathop", "emph", "underline", "mathcal", "mathscr", "vec", "hat",
     "overrightarrow", "widehat", "tilde", "mathfrak", "mathnormal", "pmb", "textup",
     "textsc", "em", "boxed", "fbox")
)  # fmt: skip
"""Commands around words or letters whose own look carries no meaning here."""

RENAMED = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "sign": "sgn",
    "acosh": "arccosh", "atanh": "arctanh", "lg": "log10", "tg": "tan", "ctg": "cot",
    "arctg": "arctan", "cosec": "csc", "Arcsin": "arcsin", "Arccos": "arccos", "Re": "re",
    "Arctan": "arctan", "Im": "im", "ceiling": "ceil", "arsinh": "arcsinh", "arcosh": "arccosh",
    "artanh": "arctanh", "arsh": "arcsinh", "arch": "arccosh", "arth": "arctanh", "sh": "sinh",
    "ch": "cosh", "th": "tanh", "cth": "coth", "arcctg": "arccot", "Arg": "arg",
}  # fmt: skip
INVERSE = {"sin": "arcsin", "cos": "arccos", "tan": "arctan", "cot": "arccot", "sec": "arcsec",
            "csc": "arccsc", "sinh": "arcsinh", "cosh": "arccosh", "tanh": "arctanh"}  # fmt: skip
FRACTIONS = frozenset((r"\frac", r"\dfrac", r"\tfrac", r"\cfrac", r"\nicefrac", r"\sfrac"))
SHORT_FUNCTIONS = word_set("re im tr arg deg dim ker lg tg sh ch th cth arch")
"""Functions only before a bracket: without one the letters are a product."""

GREEK = word_set(
    """
    alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi
    rho varrho sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Sigma
    Upsilon Phi Psi Omega ell hbar
    """
)
BARE_SYMBOLS = word_set("partial nabla dagger top intercal star ast square perp")
"""Commands that are symbols as they stand."""
GREEK_SAME = {"varepsilon": "epsilon", "vartheta": "theta", "varrho": "rho", "varphi": "phi"}
CONST_COMMANDS = {
    "pi": "pi", "infty": "oo", "emptyset": "empty", "varnothing": "empty", "ldots": "dots",
    "dots": "dots", "cdots": "dots", "dotsc": "dots", "dotsb": "dots", "imath": "i",
}  # fmt: skip
CONST_WORDS = {"pi": "pi", "infinity": "oo", "inf": "oo", "oo": "oo", "Infinity": "oo", "Pi": "pi"}
RELATIONS = {
    "=": "=", "==": "=", "<": "<", ">": ">", "<=": "<=", "=<": "<=", ">=": ">=", "!=": "!=",
    "le": "<=", "leq": "<=", "leqslant": "<=", "leqq": "<=", "ge": ">=", "geq": ">=",
    "geqslant": ">=", "geqq": ">=", "lt": "<", "gt": ">", "ne": "!=", "neq": "!=",
    "approx": "~", "simeq": "~", "sim": "~", "thickapprox": "~", "doteq": "~", "cong": "~",
    "in": "in", "notin": "notin", "equiv": "equiv", "to": "->", "rightarrow": "->",
    "mapsto": "->", "->": "->", "iff": "=", "Leftrightarrow": "=", "coloneqq": "=",
}  # fmt: skip
UNION_WORDS = frozenset(("U", "u", "union"))
SET_OPS = {"cup": "union", "cap": "inter", "setminus": "minus", "bigcup": "union",
            "backslash": "minus", "smallsetminus": "minus"}  # fmt: skip
CLOSER = {"(": ")", "[": "]", "{": "}", r"\{": r"\}"}
"""Brackets around the arguments of `max` and its like."""
CLOSING = frozenset((")", "]", "}", r"\}", r"\rangle", r"\rfloor", r"\rceil", r"\rbrace",
                      r"\rbrack", r"\rparen", r"\rvert", r"\rVert"))  # fmt: skip
ENDING = frozenset(
    ("\\", "choose", "over", "mid", "forall", "land", "lor", "vee", "wedge", "colon", "end")
)
"""Commands that end an operand."""
MATRICES = frozenset(("pmatrix", "bmatrix", "matrix", "array", "Bmatrix", "smallmatrix",
                       "vmatrix", "Vmatrix", "cases", "aligned", "align", "align*", "gathered",
                       "split", "dcases", "psmallmatrix", "bsmallmatrix", "rcases"))  # fmt: skip
UNITS = word_set(
    """
    cm mm km dm kg mg lb lbs oz ft mi mph kmh hr hrs sec secs mins inch inches feet foot yard
    yards mile miles meter meters metre metres kilometer kilometers kilometre kilometres
    centimeter centimeters gram grams kilogram kilograms pound pounds ounce ounces liter liters
    litre litres gallon gallons second seconds minute minutes hour hours day days week weeks month
    months year years dollar dollars cent cents euro euros yuan unit units square cubic sq degree
    degrees radian radians percent percentage pct people students men women books apples points
    point times ways way cups pages coins boxes cars marbles balls usd USD hertz Hz mL ml kW kWh
    newton newtons joule joules watt watts volts am pm AM PM per more less
    """
)
UNIT_LETTERS = word_set("cm mm km dm kg mg lb oz ft mi ml mL kW am pm")
"""Units that are a product of letters where no number stands before them: `T = mg`."""
CURRENCIES = {"$": "$", "euro": "euro", "pounds": "gbp", "yen": "yensign"}
"""Signs before or behind an amount, and the unit they are."""
CURRENCY_CODES = frozenset(("USD", "EUR", "GBP", "JPY", "CNY", "RMB", "INR", "Rs"))
MULTIPLES = {"dozen": 12, "hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9,
             "trillion": 10**12}  # fmt: skip
"""Words behind a number that multiply it."""
SCALING = word_set(
    """
    dozen dozens hundred hundreds thousand thousands million millions billion billions trillion
    score pair pairs half halves third thirds quarter quarters fourth fifth sixth seventh eighth
    ninth tenth hundredth thousandth squared cubed factorial choose mod modulo over by with without
    not none nor or and but if is are was of to at from in on than then when where for per no yes
    negative positive minus plus left right up down east west north south true false wrong
    """
)
"""Words behind a number that are part of its value, or of a sentence: never a unit."""
HEDGES = word_set("or but nor else otherwise maybe perhaps possibly instead rather alternatively")
"""Words that offer another answer beside the first."""
NO_UNIT = HEDGES | word_set(
    """
    and not no none neither either is isn are was if than then wrong false incorrect true correct
    st nd rd th
    although though unless except zero one two three four five six seven eight nine ten eleven
    twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty
    sixty seventy eighty ninety hundred thousand million billion
    """
)
"""Words that no unit holds: with them the text says more than what is counted."""
PERCENT = frozenset(("percent", "percentage", "pct", "per cent"))
DEGREE = frozenset(("degree", "degrees", "deg", "circ", "度"))
TEMPERATURES = {"C": "celsius", "F": "fahrenheit", "celsius": "celsius", "Celsius": "celsius",
                "fahrenheit": "fahrenheit", "Fahrenheit": "fahrenheit"}  # fmt: skip
"""Behind a degree sign."""
JOIN = {"or": "or", "and": "and", "lor": "or", "vee": "or", "land": "and", "wedge": "and"}
DROP_AFTER = ("for all", "for any", "for every", "for each", "for some", "where")
CONDITION_WORDS = frozenset(("if", "for", "when", "where", "whenever", "provided", "当"))
"""Words between the value and the condition of a case."""
OTHERWISE = frozenset(("otherwise", "else", "elsewhere"))
_SUBJECT_ENDS = ("is", "are", "be", "=", ":", "equals", "exactly")
_SUBJECT_PHRASES = ("equal to", "simplifies to", "reduces to", "evaluates to", "comes to",
                    "given by", "amounts to")  # fmt: skip
_SUBJECT_NOUNS = word_set(
    """
    point points pair pairs triple triples ordered value values line lines interval intervals set
    vector vectors solution solutions answer answers equation equations number numbers circle
    plane curve range domain area volume probability length distance sum product ratio polynomial
    function matrix fraction coordinates vertex center centre root roots integer integers prime
    only unique final simplified form the all since hence thus so therefore we have get
    """
)
_ALTERING = word_set(
    """
    not no never neither nor or than less greater more fewer most least except minus negative plus
    half twice double triple without if unless times opposite reciprocal inverse square root cube
    squared cubed about approximately roughly nearly around almost between wrong incorrect false
    isn't aren't instead maybe perhaps possibly any every other up down proportional congruent
    similar isomorphic close closest belongs
    """
)
"""Words in front of a value that make it another one, or no answer."""

_COMMON_WORDS = word_set(
    """
    yes no odd even all any none not one two six ten the and but for has was are can may did red
    blue sum max min true false it is of an to at by in on or if so as we he she how why who day
    mon tue wed thu fri sat sun jan feb mar apr jun jul aug sep oct nov dec dog cat boy girl east
    west up down left right
    """
)


def names_subject(words: str) -> bool:
    """Whether words in front of a value only say what it is: "the point", "x equals"."""
    parts = words.replace(",", " ").split()
    if not parts or not _ALTERING.isdisjoint(parts):
        return False
    if parts[-1] in _SUBJECT_ENDS or parts[-1].endswith((":", "=")):
        return True
    if " ".join(parts[-2:]) in _SUBJECT_PHRASES:
        return True
    return all(part in _SUBJECT_NOUNS or part in ("the", "a", "an", "of") for part in parts)


def starts_condition(words: str) -> bool:
    """Whether a case's condition starts here: "if", "for all", "otherwise"."""
    first = words.lower().partition(" ")[0]
    return first in CONDITION_WORDS or first in OTHERWISE


def reads_as_word(word: str) -> bool:
    """Whether a run of letters is a word rather than a product of one-letter names."""
    if word.isupper():
        return len(word) > 5  # the corners of a polygon are no word
    if word in UNITS or word.lower() in _COMMON_WORDS:
        return True
    if len(word) <= 3:
        return False
    return any(c in "eiouEIOU" for c in word) or len(word) > 6
