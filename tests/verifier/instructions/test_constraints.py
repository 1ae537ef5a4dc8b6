from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.instructions import constraints
from verifier.instructions.registry import RULES, Unreadable, read

ENGLISH = "the quick brown fox jumps over the lazy dog and then it sleeps in the warm sun"
GERMAN = "Der schnelle braune Fuchs springt über den faulen Hund und schläft dann in der Sonne"

# id, arguments, texts that follow, texts that do not.
CASES: list[tuple[str, dict[str, Any], list[str], list[str]]] = [
    (
        "keywords:existence",
        {"keywords": ["sun", "Moon"]},
        ["SUNDAY by moonlight", "moon\nsun"],
        ["the sun", "s un moon"],
    ),
    ("keywords:existence", {"keywords": ["a.b"]}, ["A.B"], ["axb"]),
    (
        "keywords:frequency",
        {"keyword": " fox ", "frequency": 2, "relation": "at least"},
        ["Fox, foxes", "foxfoxfox"],
        ["a fox", "f o x fox"],
    ),
    (
        "keywords:frequency",
        {"keyword": "fox", "frequency": 2, "relation": "less than"},
        ["a fox", "none"],
        ["fox fox"],
    ),
    (
        "keywords:forbidden_words",
        {"forbidden_words": ["rock", "new york"]},
        ["rocket", "shamrock", "new-york", "rock_"],
        ["Rock!", "in NEW YORK.", "a rock"],
    ),
    (
        "keywords:letter_frequency",
        {"letter": "Q", "let_frequency": 2, "let_relation": "at least"},
        ["Qq", "quick quack"],
        ["q", "none"],
    ),
    (
        "keywords:letter_frequency",
        {"letter": "#", "let_frequency": 1, "let_relation": "less than"},
        ["none"],
        ["#one"],
    ),
    (
        "language:response_language",
        {"language": "de"},
        [GERMAN, "12345", "..."],
        [ENGLISH],
    ),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 3, "relation": "at least"},
        ["One. Two! Three?"],
        ["One. Two!", "Dr. Smith and Mr. Jones met. They spoke."],
    ),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 3, "relation": "less than"},
        ["One. Two."],
        ["One. Two. Three"],
    ),
    (
        "length_constraints:number_paragraphs",
        {"num_paragraphs": 2},
        ["a *** b", "a\n***\nb", "***\na\n***\nb\n***", "a***b"],
        ["a", "a *** b *** c", "a *** *** b", "a\n\nb"],
    ),
    (
        "length_constraints:number_words",
        {"num_words": 3, "relation": "at least"},
        ["one two three", "don't stop", "well-known fact"],
        ["one two", "... - !"],
    ),
    (
        "length_constraints:number_words",
        {"num_words": 3, "relation": "less than"},
        ["one two"],
        ["one two three"],
    ),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "Hello"},
        ["a\n\nhello there", "a\n\n'hello' x", 'a\n\n"HELLO, you', "a\n\nHello\n\n"],
        ["hello\n\na", "a\n\nhellos", "a\n\n*hello*", "a\n\nhello\n\nb", "a\n\n\n\nhello"],
    ),
    (
        "detectable_content:number_placeholders",
        {"num_placeholders": 2},
        ["[a] [b]", "[[a] ]]] []", "[a][b][c]", "[1](x)\n[2]"],
        ["[a]", "[a\n] [b]", "] [ a ]", "[[[[a]", "(a) (b)"],
    ),
    (
        "detectable_content:postscript",
        {"postscript_marker": "P.S."},
        ["x\n\nP.S. more", "p. s. more", "up.s.x"],
        ["PS: more", "P.P.S more", "P.S more"],
    ),
    (
        "detectable_content:postscript",
        {"postscript_marker": "P.P.S"},
        ["P.P.S. more", "p. p. s", "P.P.S"],
        ["P.S. more", "P.P.X", "P.S. P.P."],
    ),
    (
        "detectable_content:postscript",
        {"postscript_marker": "N.B."},
        ["n.b. more"],
        ["nxbx more"],
    ),
    (
        "detectable_format:number_bullet_lists",
        {"num_bullets": 2},
        ["* a\n* b", "- a\n  * b", "*a\n\n\n -b", "* a\n**bold**\n---", "*\nx\n* y"],
        ["* a", "* a\n* b\n* c", "*\n* a", "**a**\n* b", "x * a\nx - b", "+ a\n+ b"],
    ),
    (
        "detectable_format:constrained_response",
        {},
        ["My answer is yes.", "Well. My answer is maybe. Or so."],
        ["yes", "my answer is no.", "My answer is no"],
    ),
    (
        "detectable_format:number_highlighted_sections",
        {"num_highlights": 2},
        ["*a* *b*", "**a** and *b*", "**a** b **c**", "* a\n*b* *c*"],
        ["*a*", "*a\nb*", "** **", "****", "a * b"],
    ),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "Section", "num_sections": 2},
        ["Section 1\na\nSection 2\nb", "Section1 Section\n22", "Section 1 Section 1"],
        ["Section 1", "SECTION 1 SECTION 2", "Section  1 Section  2", "Section A Section B"],
    ),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "(P.)", "num_sections": 1},
        ["(P.) 1"],
        ["Px 1"],
    ),
    (
        "detectable_format:json_format",
        {},
        [
            '{"a": [1, 2.5, NaN]}',
            "```json\n{}\n```",
            "```JSON []```",
            "```\n[]```",
            "3",
            '"text"',
            "9" * 9999,
        ],
        ["{'a': 1}", "{} done", "Here it is: {}", "", "{", "```python\n{}\n```"],
    ),
    (
        "detectable_format:title",
        {},
        ["<<a>>", "x <<<b>>> y", "<< a >>", "<<a> b>>", "<<>>x>>"],
        ["<<>>", "<< >>", "<<a\nb>>", "<a>", ">> <<", "<<<>>>"],
    ),
    (
        "combination:two_responses",
        {},
        ["a ****** b", "******\na\n******\nb", "a******b******"],
        ["a", "a ****** a", "a ****** b ****** c", "a ****** ****** b", "a *** b", "******a"],
    ),
    (
        "combination:repeat_prompt",
        {"prompt_to_repeat": " Say it. "},
        ["say it. I did.", "\n SAY IT."],
        ["I say it.", '"Say it."', "Say it"],
    ),
    (
        "startend:end_checker",
        {"end_phrase": " The End. "},
        ["x the end.", 'x. "THE END."\n'],
        ["the end. x", "the end", "the end.*"],
    ),
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 2, "capital_relation": "at least"},
        ["A NEW day", "DON'T", "NASA's USA", "IT’S", "CANNOT", "A/B I"],
        ["NEW day", "A-B", "McDonald NASA", "U.S. is", "O'CLOCK"],
    ),
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 1, "capital_relation": "less than"},
        ["none", "Nasa"],
        ["I am"],
    ),
    (
        "change_case:english_capital",
        {},
        [ENGLISH.upper(), ENGLISH.upper() + " 1!"],
        [ENGLISH, ENGLISH.capitalize(), GERMAN.upper(), "123"],
    ),
    (
        "change_case:english_lowercase",
        {},
        [ENGLISH, ENGLISH + " 1!"],
        [ENGLISH.capitalize(), ENGLISH.upper(), GERMAN.lower(), "123"],
    ),
    ("punctuation:no_comma", {}, ["a; b", "a， b"], ["a, b", ","]),
    (
        "startend:quotation",
        {},
        ['"a"', ' "a" and "b"\n', '""'],
        ['"', "'a'", '"a', "“a”", '"a".'],
    ),
]


def check(name: str, kwargs: dict[str, Any], text: str) -> str | None:
    found = read(name, json.dumps(kwargs))
    assert not isinstance(found, Unreadable), found
    return found(text)


@pytest.mark.parametrize(("name", "kwargs", "follow", "break_"), CASES)
def test_what_follows_and_what_does_not(
    name: str, kwargs: dict[str, Any], follow: list[str], break_: list[str]
) -> None:
    assert {text: check(name, kwargs, text) for text in follow} == dict.fromkeys(follow)
    assert [text for text in break_ if check(name, kwargs, text) is None] == []


def test_every_constraint_has_cases() -> None:
    assert {name for name, *_ in CASES} == set(RULES)
    assert len(RULES) == 25


MARKUP = st.text(alphabet="*-[]<>\n a1 #\t\x0b", max_size=40)


def _at_most(name: str, argument: str, text: str) -> int:
    """How many of a thing there are, asked one number after the other."""
    count = 0
    while check(name, {argument: count + 1}, text) is None:
        count += 1
    return count


# What counts in IFEval's published checkers, as they state it; linear time aside.


@given(MARKUP)
def test_placeholders_are_the_shortest_bracketed_texts(text: str) -> None:
    found = _at_most("detectable_content:number_placeholders", "num_placeholders", text)
    assert found == len(re.findall(r"\[.*?\]", text))


@given(MARKUP)
def test_bullets_are_counted_as_published(text: str) -> None:
    stars = re.findall(r"^\s*\*[^\*].*$", text, re.MULTILINE)
    dashes = re.findall(r"^\s*-.*$", text, re.MULTILINE)
    name = "detectable_format:number_bullet_lists"
    assert check(name, {"num_bullets": len(stars) + len(dashes)}, text) is None


@given(MARKUP)
def test_titles_are_found_as_published(text: str) -> None:
    titles = re.findall(r"<<[^\n]+>>", text)
    there = any(title.lstrip("<").rstrip(">").strip() for title in titles)
    assert (check("detectable_format:title", {}, text) is None) == there


@given(MARKUP)
def test_paragraphs_are_parted_as_published(text: str) -> None:
    parts = [part.strip() for part in re.split(r"\s?\*\*\*\s?", f"x{text}")]
    wanted = len([part for part in parts if part]) if all(parts[1:-1]) else None
    name = "length_constraints:number_paragraphs"
    follows = [n for n in range(20) if check(name, {"num_paragraphs": n}, f"x{text}") is None]
    assert follows == ([] if wanted is None else [wanted])


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_all_json_is_json(value: Any) -> None:
    assert check("detectable_format:json_format", {}, json.dumps(value)) is None
    assert (
        check("detectable_format:json_format", {}, f"```json\n{json.dumps(value, indent=1)}\n```")
        is None
    )
    assert check("detectable_format:json_format", {}, json.dumps([value])[:-1]) is not None


@given(st.text(alphabet='"\\[]{}a', max_size=30), st.integers(0, 4))
def test_depth_ends_where_strings_begin(inside: str, depth: int) -> None:
    text = "[" * depth + json.dumps(inside) + "]" * depth
    assert not constraints.deeper_than(text, depth)
    assert depth == 0 or constraints.deeper_than(text, depth - 1)


@given(
    st.text(max_size=60),
    st.sampled_from(
        [case for case in CASES if "language" not in case[0] and "english" not in case[0]]
    ),
)
def test_any_text_gets_a_verdict(
    text: str, case: tuple[str, dict[str, Any], list[str], list[str]]
) -> None:
    name, kwargs, *_ = case
    found = check(name, kwargs, text)
    assert found is None or 0 < len(found) <= 500
    assert check(name, kwargs, text) == found
