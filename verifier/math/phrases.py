r"""Answers in words: which phrases say the same, and the value a sentence states.

Two texts are the same when they fold to the same string: lower case, no articles,
accents, hyphens or plural endings, one form for each of a few phrases that surely mean
the same ("no solution", "DNE", "无解"; "infinitely many solutions"; dates). Spelling must
otherwise match.

A sentence states a value when it names one thing and one value and nothing that
limits, negates or doubts it: "The maximum value is $\frac94$.", "There are 12 such
numbers." What is left open here is no value.

Invariant: every pattern is linear in the text, and texts over MAX_PHRASE_CHARS are
not looked at.
"""

from __future__ import annotations

import re
import unicodedata

from verifier.math import words
from verifier.math.syntax.vocabulary import (
    HEDGES,
    MULTIPLES,
    NO_UNIT,
    PERCENT,
    SCALING,
    word_set,
)
from verifier.math.tree import Const, Node
from verifier.math.units import canonical

MAX_PHRASE_CHARS = 400
"""Longer texts are working or essays, not phrases."""

# ---------------------------------------------------------------- phrases

_THING = (
    r"(?:(?:solution|root|answer|value|number|integer|function|point|triangle|pair|triple|polynomial"
    r"|prime|real|case|sequence|set)s?|[a-z])"
)
_NOTHING = re.compile(
    rf"(?:(?:there (?:is|are|exists?)|we have|(?:(?:the )?(?:equation|system|inequality) |it )?has)"
    rf" )?"
    rf"no (?:(?:real )?(?:solution|root)s?|such (?:(?:positive|real) )?{_THING}(?: {_THING})?)"
    rf"(?: exists?)?|there (?:does|do) not exist (?:an? |any )?such {_THING}"
    rf"|(?:it |(?:the )?limit |such (?:an? )?{_THING} |the {_THING} )?"
    rf"(?:does not exist|doesn't exist|do not exist|is impossible)"
    rf"|none|none exists?|dne|(?:this is )?impossible|not possible|empty set|null set|empty"
    rf"|(?:原?方程组?|不等式组?|此?方程)?(?:无解|无实数?[解根]|没有(?:实数)?[解根]|解集为空集|空集)"
    rf"|不存在(?:这样的.{{1,6}}|实数[解根])?|(?:这样的.{{1,6}})不存在"
)
_ENDLESS = re.compile(
    rf"(?:(?:there (?:is|are)|it has|has) )?(?:an? )?(?:infinitely many|infinite number of"
    rf"|infinite|infinity many)(?: (?:such )?(?:{_THING}|ways|pairs|of them))?(?: exist)?"
    rf"|有?(?:无数|无穷|无限)多?[个组种条]?(?:解|根|实数解)?"
)
_REALS = re.compile(
    r"(?:[a-z] (?:is|can be|may be) )?(?:(?:(?:the )?set of )?(?:all|any|every)(?: the)? reals?"
    r"(?: (?:numbers?|values?))?(?: [a-z]| of [a-z])?|set of real numbers|real numbers)"
    r"|(?:[a-z]为|[a-z]是)?(?:全体|一切|任意|任何|所有)实数|实数集r?"
)
_PROPERTY = re.compile(
    r"((?:strictly |monotonically )?(?:even|odd|increasing|decreasing|periodic|injective|surjective"
    r"|bijective|constant|linear|quadratic)) function|(even|odd|prime|composite|irrational|rational"
    r"|positive|negative) (?:number|integer)"
)
EMPTY, REALS = "nosolution", "allrealnumbers"
_SETS: dict[str, Node] = {EMPTY: Const("empty"), REALS: Const("R")}


def folded(text: str) -> str:
    """The text in the form in which answers in words are compared."""
    plain = words.words(text)
    if len(plain) <= MAX_PHRASE_CHARS:
        if not plain.isascii():
            spread = unicodedata.normalize("NFKD", plain)
            plain = _ACCENTS.sub("", spread)
        if _NOTHING.fullmatch(plain):
            return EMPTY
        if _ENDLESS.fullmatch(plain):
            return "infinitelymany"
        if _REALS.fullmatch(plain):
            return REALS
        day = date(plain)
        if day:
            return day
        plain = _ON_DAY.sub("", plain, count=1)
        known = _PROPERTY.fullmatch(plain)
        if known:
            plain = known.group(1) or known.group(2)
        plain = _INNER_ARTICLE.sub("", plain)
        plain = _PLURAL.sub("", plain.replace(" and ", ", ").replace(",,", ","))
    return words.compact(plain)


_ACCENTS = re.compile("(?<=[a-z])[\u0300-\u036f]+")
"""Marks on Latin letters; in other scripts they are no matter of looks."""
_ON_DAY = re.compile(r"on (?=(?:mon|tues|wednes|thurs|fri|satur|sun)day)")
_INNER_ARTICLE = re.compile(r"\bthe (?=[a-z])|(?:(?<=\bis )|(?<=\bof )|(?<=\bby ))an? (?=[a-z]{3})")
_PLURAL = re.compile(r"(?<=[a-z]{3}[a-rt-z])(?<!us)(?<!is)s(?![a-z])")


def set_in_words(text: str) -> Node | None:
    """The set a phrase stands for: nothing, or all real numbers."""
    return _SETS.get(folded(text)) if len(text) <= MAX_PHRASE_CHARS else None


_MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_MONTHS = {name[:3]: place for place, name in enumerate(_MONTH_NAMES, 1)}
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(\d{1,2})(?: ?\^? ?(?:st|nd|rd|th))?"
_DATE = re.compile(
    rf"{_MONTH} (?:the )?{_DAY}(?:(?:, ?| )(\d{{4}}))?"
    rf"|{_DAY}(?: of)? {_MONTH}(?:(?:, ?| )(\d{{4}}))?"
    r"|(?:(\d{4}) ?年 ?)?(\d{1,2}) ?月 ?(\d{1,2}) ?[日号]"
)


_DAY_HINT = re.compile("|".join(name[:3] for name in _MONTH_NAMES) + "|月", re.IGNORECASE)


def names_a_day(text: str) -> bool:
    """Whether the text is a day of the year; "March 5" could be a product of names."""
    if len(text) > 60 or not (" " in text or "月" in text) or _DAY_HINT.search(text) is None:
        return False
    return bool(date(words.words(text)))


def date(plain: str) -> str:
    """A day of the year in one form, from a text that `words` made plain; else ""."""
    if len(plain) > 40 or not plain[-1:].isalnum():
        return ""
    found = _DATE.fullmatch(plain)
    if found is None:
        return ""
    month, day, year, day2, month2, year2, year3, month3, day3 = found.groups()
    place = _MONTHS[(month or month2)[:3]] if month or month2 else int(month3)
    return f"date {place}-{int(day or day2 or day3)}-{year or year2 or year3 or ''}"


_SIDE = re.compile(r"(yes|no|true|false)(?: ?[,.;:!]+ ?| - | because | since )(\S.*)", re.DOTALL)
_OTHER_SIDE = {
    "yes": word_set("no not false or but maybe perhaps impossible unless if never cannot wait"),
    "no": word_set("yes true or but maybe perhaps unless if only wait"),
}
_TITLE = re.compile(r"(mr|mrs|ms|miss|dr|prof|professor|sir|madam|doctor)\b\.? +(\S.*)", re.DOTALL)


def same(gold: str, answer: str) -> bool:
    """Whether two texts say the same in words."""
    if folded(gold) == folded(answer):
        return True
    if max(len(gold), len(answer)) > MAX_PHRASE_CHARS:
        return False
    first, second = words.words(gold), words.words(answer)
    side, other = _side(first), _side(second)
    if side and side == other:
        return True
    return _titled(first, second) or _titled(second, first)


def _side(plain: str) -> str:
    """yes, no, true or false where the text says this and no more than words for it."""
    if plain in ("yes", "no", "true", "false"):
        return plain
    found = _SIDE.fullmatch(plain)
    if found is None:
        return ""
    side, clause = found.groups()
    against = _OTHER_SIDE["yes" if side in ("yes", "true") else "no"]
    if re.search(r"[\d\\=<>]|n't", clause) or not against.isdisjoint(_WORD.findall(clause)):
        return ""
    return str(side)


def _titled(titled: str, bare: str) -> bool:
    found = _TITLE.fullmatch(titled)
    if found is None:
        return False
    other = _TITLE.fullmatch(bare)
    name = other.group(2) if other and other.group(1) == found.group(1) else bare
    return words.compact(found.group(2)) == words.compact(name)


# ---------------------------------------------------------------- sentences

_WORD = re.compile(r"[^\W\d_]+")
_TEXT = re.compile(
    r"\\(?:text|textbf|textit|textrm|mathrm|mbox|mathbf|textnormal)\s{0,4}\{([^{}]{0,400})\}"
)
_FORMULA = re.compile(r"\$([^$]{1,400})\$|\\\(((?:[^\\]|\\[^()]){1,400})\\\)")
_PLACE = "\ue000"
"""Stands where a formula was; of a private area, so no text holds it by itself."""

_DOUBTS = HEDGES | word_set(
    """
    yes true not no never neither if when whenever unless except only one some any possible
    possibly may might could can either wrong false incorrect suppose assume let guess fewer than
    approximately roughly around nearly almost close up another also half twice double thrice
    opposite reciprocal inverse kidding least most below under above over between about per each
    every both
    """
)
"""Words that leave a statement open, or make it one of several."""

_ITEM = (
    rf"(?:{_PLACE}|[-+−]?(?:[\d.(\[{{]|\\[A-Za-z]+)"
    rf"(?:\\[A-Za-z]+|[^A-Za-z\\{_PLACE}\u4e00-\u9fff]){{0,60}})"
)
_OF_THE_SUBJECT = word_set(
    "least most below under above over between than about per each every both"
)
"""Words that are harmless in the name of a thing: "the angle between them is ..."."""

_STATED = re.compile(
    rf"(?P<subject>[^\W\d_][^\d=<>\\{{}}]{{0,200}}?)\s?"
    rf"(?:\b(?:is|are|equals|was|were|becomes|(?:must|will|would) be|comes to)\b|[=:：为是]|等于)"
    rf"\s?"
    rf"(?:\b(?:equal to|exactly|given by|thus|therefore|simply|just)\b\s?|:\s?)?"
    rf"(?P<value>{_ITEM}(?:\s?(?:,|,? and|和)\s?{_ITEM}){{0,9}})"
    rf"(?P<rest>[^\d\\=<>{_PLACE}]{{0,120}})"
)
_COUNTED = re.compile(
    rf"(?:there (?:is|are)|we have|we get|(?:一?共|总共)有?|有)\s?"
    rf"(?:(?:exactly|a total of|in total) )?"
    rf"(?P<value>{_PLACE}|\d[\d,]{{0,20}})(?P<rest>[^\d\\=<>{_PLACE}]{{1,120}})",
    re.IGNORECASE,
)
_SAYS = re.compile(r"\b(?:is|are|equals|was|were)\b|[:：为是]|等于")
_LEADS = re.compile(
    r"(?:(?:so|thus|hence|therefore|finally|then|we (?:find|get|have|conclude)(?: that)?"
    r"|即|故|所以)[\s,，:]+){1,3}",
    re.IGNORECASE,
)
_HAN_DOUBTS = re.compile("[或不非未除约多余少至若当如]|左右|以上|以下")


def value_in(text: str) -> str | None:
    """The value that a sentence states, or what stands before a remark in brackets."""
    if len(text) > MAX_PHRASE_CHARS or not _WORD.search(text):
        return None
    plain = _TEXT.sub(r" \1 ", text)
    return _stated(plain) or _before_remark(plain)


_BOUNDS = re.compile(
    r"\s*(?:at (?:least|most)|(?:less|more|greater|fewer|larger|smaller|bigger|other) than|"
    r"about|around|approximately|roughly|nearly|almost|over|under|up to|above|below|not|no)"
    r"(?![a-z])",
    re.IGNORECASE,
)


def _stated(text: str) -> str | None:
    formulas: list[str] = []

    def keep(found: re.Match[str]) -> str:
        formulas.append(found.group(1) or found.group(2))
        return _PLACE

    plain = " ".join(_FORMULA.sub(keep, text).split()).strip(" .。")
    lead = _LEADS.match(plain)
    plain = plain[lead.end() :] if lead else plain
    found = _STATED.fullmatch(plain) or _COUNTED.fullmatch(plain)
    if found is None:
        return None
    parts = found.groupdict()
    subject, value, rest = parts.get("subject") or "", parts["value"].strip(), parts["rest"].strip()
    if (_PLACE in subject and _SAYS.search(subject)) or _BOUNDS.match(subject):
        return None  # two statements, or a bound
    named, said = (set(map(str.lower, _WORD.findall(text))) for text in (subject, rest))
    if not _DOUBTS.isdisjoint((named - _OF_THE_SUBJECT) | said):
        return None
    if _HAN_DOUBTS.search(subject + rest):
        return None
    if subject and not (_NAMED.search(subject) or re.search("[\u4e00-\u9fff]", subject)):
        return None
    shown = iter(formulas[subject.count(_PLACE) :])
    value = "".join(next(shown) if char == _PLACE else char for char in value)
    if re.fullmatch(r"\s*[A-Za-z]\s*", value):
        return None
    if not rest.strip(" .,;!)"):
        return value
    low = rest.lower().strip(" .,;!").removeprefix("\\")
    if low in PERCENT or low == "%" or canonical(low)[1]:
        return f"{value}\\%" if low in PERCENT or low == "%" else f"{value}\\text{{ {low}}}"
    if low in MULTIPLES:
        return f"{value} {low}"
    if not (NO_UNIT | SCALING).isdisjoint(said):
        return None
    return value if re.fullmatch(r"[^\W\d_][\w\s,'-]*", rest.strip(" .,;!")) else None


_NAMED = re.compile(r"[A-Za-z]{3}")
_NO_REMARK = (
    _DOUBTS - word_set("above below")  # "(see above)"
    | NO_UNIT
    | SCALING
    | word_set(
        """
        for where provided assuming mod modulo more less greater smaller bigger larger base binary
        octal hex hexadecimal decimal radians degrees percent with without odd even in at to from
        """
    )
)
"""Words that make a remark behind a value more than a remark."""


def _before_remark(text: str) -> str | None:
    """`6` of "6 (see the table above)": a remark of words alone, none of which limits."""
    text = text.rstrip(" .")
    opening = max(text.rfind("("), text.rfind("（"))
    if opening <= 0 or text[-1:] not in (")", "）"):
        return None
    remark, value = text[opening + 1 : -1], text[:opening].strip()
    said = [word.lower() for word in _WORD.findall(remark)]
    plain = re.fullmatch(r"[^\W\d_][^\d$\\=<>^_()（）]*", remark.strip())
    if plain is None or not value or not _NO_REMARK.isdisjoint(said):
        return None
    if any(len(word) == 1 and word not in ("a", "i") and word.isascii() for word in said):
        return None
    if canonical(remark)[1]:
        return f"{value}\\text{{ {remark}}}"
    if len(said) < 2 and not _ONE_WORD.fullmatch(remark.strip()):
        return None
    if _HAN_DOUBTS.search(remark):
        return None
    return value


_ONE_WORD = re.compile(r"exact(?:ly)?|final|answer|verified|checked|simplified|total|略", re.I)

_EQUIVALENT = re.compile(r",? or (?:any )?equivalents?(?: (?:form|answer|expression)s?)?$", re.I)
_REASON = re.compile(r"(?:since|because|check|see|note|using|for example|e\.g\.)\b", re.I)
_ALSO = re.compile(
    r"(?:or|accept|accepted|also accept|also|i\.e\.?|that is|equivalently|or equivalently|=|oe)"
    r"\s*[:,]?\s*(\S.*)?",
    re.IGNORECASE | re.DOTALL,
)


def alternatives(text: str) -> tuple[str, str] | None:
    """(value, what else is accepted) of a reference such as "12 cm (accept 12)"; the
    second is empty for "(or equivalent)". None for all else."""
    if len(text) > MAX_PHRASE_CHARS:
        return None
    plain = _TEXT.sub(r" \1 ", text).strip(" .")
    bare = _EQUIVALENT.search(plain)
    if bare:
        return plain[: bare.start()].strip(), ""
    opening = plain.rfind("(")
    if opening <= 0 or not plain.endswith(")"):
        return None
    remark = plain[opening + 1 : -1].strip()
    if _REASON.match(remark):
        return plain[:opening].strip(), ""
    found = _ALSO.fullmatch(remark)
    if found is None:
        return None
    other = (found.group(1) or "").strip()
    if re.fullmatch(r"(?:any )?equivalents?(?: (?:form|answer|expression)s?)?", other, re.I):
        other = ""
    return plain[:opening].strip(), other
