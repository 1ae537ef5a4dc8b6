"""The 25 checkers of IFEval (arXiv 2311.07911), a function each. Pure, linear time.

Each takes the text and the constraint's arguments under IFEval's names, and
returns None when the text follows it, else what was found instead, in a few
words. The verdicts are those of the published checkers, oddities included, for
they are the protocol; what is odd is said below. Where those read a keyword as a
regular expression, it is taken literally here: no published prompt tells the two
apart, and an item must not bring its own pattern.

A blank text follows nothing; that is for the caller to see to.
"""

from __future__ import annotations

import json
import re
from typing import Literal

from verifier.instructions import languages, sentences, words

Relation = Literal["less than", "at least"]

JSON_DEPTH = 200
"""Brackets nested deeper than this are no JSON here: Python's reader, which recurses, gives up
at a depth that depends on who calls it."""

QUOTED_CHARS = 60
"""What a detail quotes of a response."""

CHOICES = ("My answer is yes.", "My answer is no.", "My answer is maybe.")


def existence(text: str, keywords: tuple[str, ...]) -> str | None:
    """Every keyword is there, also inside other words."""
    for keyword in keywords:
        if not _literal(keyword).search(text):
            return f"{keyword!r} is missing"
    return None


def frequency(text: str, keyword: str, frequency: int, relation: Relation) -> str | None:
    """The keyword is there so often, also inside other words."""
    found = sum(1 for _ in _literal(keyword.strip()).finditer(text))
    return _compare(found, relation, frequency, f"times {keyword.strip()!r}")


def forbidden_words(text: str, forbidden_words: tuple[str, ...]) -> str | None:
    """None of the words is there as a word of its own."""
    for word in forbidden_words:
        if re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE):
            return f"{word!r} is there"
    return None


def letter_frequency(
    text: str, letter: str, let_frequency: int, let_relation: Relation
) -> str | None:
    letter = letter.strip().lower()
    return _compare(text.lower().count(letter), let_relation, let_frequency, f"times {letter!r}")


def response_language(text: str, language: str) -> str | None:
    """The text is in the language, or has no letters that could tell."""
    found = languages.detect(text)
    return None if found in {None, language} else f"the language seems to be {found}"


def number_sentences(text: str, num_sentences: int, relation: Relation) -> str | None:
    return _compare(sentences.count(text), relation, num_sentences, "sentences")


def number_paragraphs(text: str, num_paragraphs: int) -> str | None:
    """Exactly so many paragraphs parted by `***`; an empty one only first or last."""
    blank = [not paragraph.strip() for paragraph in text.split("***")]
    if any(blank[1:-1]):
        return "an empty paragraph between two dividers"
    # A text without a divider is first and last at once; as it is not blank, it counts once.
    return _exactly(len(blank) - sum(blank), num_paragraphs, "paragraphs")


def number_words(text: str, num_words: int, relation: Relation) -> str | None:
    return _compare(words.count(text), relation, num_words, "words")


def nth_paragraph_first_word(
    text: str, num_paragraphs: int, nth_paragraph: int, first_word: str
) -> str | None:
    """Exactly so many paragraphs parted by two newlines, the nth beginning with the word.

    Empty paragraphs do not count towards the number but do towards the nth.
    """
    paragraphs = text.split("\n\n")
    found = sum(1 for paragraph in paragraphs if paragraph.strip())
    if found != num_paragraphs:
        return f"{found} paragraphs"
    nth = paragraphs[nth_paragraph - 1].split()
    if not nth:
        return f"paragraph {nth_paragraph} is empty"
    word = re.split(r"[.,?!'\"]", nth[0].lstrip("'").lstrip('"'), maxsplit=1)[0].lower()
    return None if word == first_word.lower() else f"the first word is {_quote(word)}"


def number_placeholders(text: str, num_placeholders: int) -> str | None:
    """At least so many [placeholders], each within a line."""
    # Up to a line's last bracket every opening one is closed, so that none is searched in vain.
    found = sum(len(_BRACKETED.findall(line, 0, line.rfind("]") + 1)) for line in text.split("\n"))
    return _at_least(found, num_placeholders, "placeholders")


_BRACKETED = re.compile(r"\[[^\]]*+\]")


def postscript(text: str, postscript_marker: str) -> str | None:
    """The marker is there, anywhere and in any case; two usual ones with some freedom."""
    marker = postscript_marker.strip()
    pattern = _POSTSCRIPTS.get(marker)
    lower = text.lower()
    there = pattern.search(lower) if pattern else marker.lower() in lower
    return None if there else f"{marker!r} is missing"


_POSTSCRIPTS = {"P.P.S": re.compile(r"p\.\s?p\.\s?s"), "P.S.": re.compile(r"p\.\s?s\.")}


def number_bullet_lists(text: str, num_bullets: int) -> str | None:
    """Exactly so many lines that begin with `*` or `-`.

    Not counted: `**` and a line below a lone `*`. Counted: `---`.
    """
    found = len(_STARRED.findall(text)) + len(_DASHED.findall(text))
    return _exactly(found, num_bullets, "bullet points")


# White space of the same line alone: what stands above could be spanned in many ways.
_STARRED = re.compile(r"^[^\S\n]*+\*[^*].*$", re.MULTILINE)
_DASHED = re.compile(r"^[^\S\n]*+-", re.MULTILINE)


def constrained_response(text: str) -> str | None:
    """One of three answers is there, anywhere."""
    return None if any(choice in text for choice in CHOICES) else "none of the three answers"


def number_highlighted_sections(text: str, num_highlights: int) -> str | None:
    """At least so many *highlights*, each within a line; text between two of them counts too
    where the asterisks pair up so, and **bold** once."""
    single = (found.strip("*") for found in _SINGLE.findall(text))
    double = (found[2:-2] for found in _DOUBLE.findall(text))
    count = sum(1 for inside in (*single, *double) if inside.strip())
    return _at_least(count, num_highlights, "highlighted sections")


_SINGLE = re.compile(r"\*[^\n*]*+\*")
_DOUBLE = re.compile(r"\*\*[^\n*]*+\*\*")


def multiple_sections(text: str, section_spliter: str, num_sections: int) -> str | None:
    """At least so many times the splitter with a number, e.g. "Section 1"."""
    pattern = re.compile(rf"{re.escape(section_spliter.strip())}\s?\d+")
    return _at_least(len(pattern.findall(text)), num_sections, "sections")


def json_format(text: str) -> str | None:
    """The whole text is JSON, perhaps in a fence; a number or a string alone is JSON too."""
    body = text.strip()
    for fence in ("```json", "```Json", "```JSON", "```"):
        body = body.removeprefix(fence)
    body = body.removesuffix("```").strip()
    if deeper_than(body, JSON_DEPTH):
        return f"nested deeper than {JSON_DEPTH}"
    try:
        # Numbers stay text: their value is no matter, and reading long ones takes long.
        json.loads(body, parse_int=str, parse_float=str)
    except ValueError as error:
        return str(error)
    return None


def deeper_than(text: str, depth: int) -> bool:
    """Whether brackets outside JSON strings are ever nested deeper than this."""
    level = 0
    for found in _JSON_STRUCTURE.finditer(text):
        level += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found.group(), 0)
        if level > depth:
            return True
    return False


_JSON_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


def title(text: str) -> str | None:
    """A <<title>> within a line."""
    for line in text.split("\n"):
        start, end = line.find("<<"), line.rfind(">>")
        if 0 <= start < end - 2 and line[start:end].lstrip("<").rstrip(">").strip():
            return None
    return "no <<title>>"


def two_responses(text: str) -> str | None:
    """Exactly two different responses parted by `******`; an empty one only first or last."""
    parts = [part.strip() for part in text.split("******")]
    if not all(parts[1:-1]):
        return "an empty response between two dividers"
    responses = [part for part in parts if part]
    if len(responses) != 2:
        return f"{len(responses)} responses"
    return None if responses[0] != responses[1] else "the same response twice"


def repeat_prompt(text: str, prompt_to_repeat: str) -> str | None:
    """The text begins with the request, in any case."""
    if text.strip().lower().startswith(prompt_to_repeat.strip().lower()):
        return None
    return f"it begins with {_quote(text.strip())}"


def end_checker(text: str, end_phrase: str) -> str | None:
    """The text ends with the phrase, in any case, perhaps with double quotes around."""
    end = text.strip().strip('"')
    if end.lower().endswith(end_phrase.strip().lower()):
        return None
    return f"it ends with {_quote(end[-QUOTED_CHARS:])}"


def capital_word_frequency(
    text: str, capital_frequency: int, capital_relation: Relation
) -> str | None:
    found = words.count_capital(text)
    return _compare(found, capital_relation, capital_frequency, "words in capitals")


def english_capital(text: str) -> str | None:
    """English, and no small letter."""
    if not text.isupper():
        return "not all letters are capitals"
    return response_language(text, "en")


def english_lowercase(text: str) -> str | None:
    """English, and no capital letter."""
    if not text.islower():
        return "not all letters are small"
    return response_language(text, "en")


def no_comma(text: str) -> str | None:
    """No ASCII comma."""
    commas = text.count(",")
    return f"{commas} commas" if commas else None


def quotation(text: str) -> str | None:
    """The first and the last character are straight double quotes."""
    body = text.strip()
    if len(body) > 1 and body[0] == body[-1] == '"':
        return None
    return "no double quotation marks around it"


def _literal(keyword: str) -> re.Pattern[str]:
    return re.compile(re.escape(keyword), re.IGNORECASE)


def _compare(found: int, relation: Relation, threshold: int, what: str) -> str | None:
    followed = found < threshold if relation == "less than" else found >= threshold
    return None if followed else f"{found} {what}"


def _at_least(found: int, least: int, what: str) -> str | None:
    return _compare(found, "at least", least, what)


def _exactly(found: int, wanted: int, what: str) -> str | None:
    return None if found == wanted else f"{found} {what}"


def _quote(text: str) -> str:
    return repr(text[:QUOTED_CHARS])
