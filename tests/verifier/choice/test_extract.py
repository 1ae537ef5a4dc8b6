"""The extraction on hand-written cases, on hostile and on random text."""

from __future__ import annotations

import sys
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.choice.cases import ANY, CASES, CITIES, STATED, TEN
from tests.verifier.choice.written import UNREAD, WRITTEN
from verifier.choice import statements
from verifier.choice.extract import extract
from verifier.choice.options import LETTERS, normalise, prepare, read


def letter_of(response: str, options: tuple[str, ...] = ANY) -> str | None:
    found = extract(response, prepare(options, "A"))
    return found.letter if found else None


@pytest.mark.parametrize(("response", "options", "letter"), CASES + WRITTEN)
def test_case(response: str, options: tuple[str, ...], letter: str | None) -> None:
    assert letter_of(response, options) == letter


@pytest.mark.parametrize(("response", "options", "letter"), UNREAD)
def test_what_is_not_read_is_no_other_answer(
    response: str, options: tuple[str, ...], letter: str
) -> None:
    assert letter_of(response, options) is None


BEFORE = [
    "Let A and B be two sets. Option A claims that A is empty. Option C looks plausible at first.\n\n",
    "The options are:\nA. first\nB. second\nC. third\nD. fourth\n\n",
    "<think>The answer is A. Hmm, maybe B? I think it is D.</think>\n\n",
    "**Option A**: the rate increases. Not supported.\n**Option B**: it decreases. Possible.\n\n",
    "If A were correct, then x = 2, a contradiction. If the answer were B, x = 3.\n\n",
    "Many students pick A here. Some pick B.\n\n",
    "A is the most popular choice among test takers.\n\n",
    "On élimine d'abord A, puis B.\n\n",
    "| Option | Assessment |\n|---|---|\n| A | incorrect |\n| B | incorrect |\n\n",
    "设A为集合，B为其子集。选项A看起来合理。\n\n",
    "逐项分析：A项，表述错误；B项，表述片面；C项，与题意不符。\n\n",
]
AFTER = [
    "\n\nI hope this helps!",
    "<|im_end|>",
    "\n\nNote: option A is a common distractor, since it forgets the factor 2.",
    "\n\nOption A: incorrect.\nOption B: incorrect.\nOption C: see above.",
    "\n\n- **A**: too low\n- **B**: too high",
    "\n\nA) too low\nB) too high\nC) no\nD) no",
    "\n\nIf you chose A, you forgot the sign.",
    "\n\nSo A is out and B is out.",
    "\n\nPS: A was the answer to last year's version of this question.",
    "\n\n(If the problem meant mass instead of weight, A would be correct.)",
    "\n\n注意：A项错误。",
    "\n\n干扰项A、B均为常见错误。",
    "\n\n选项A太大，选项B太小。",
    "\n\nA ist falsch, B auch.",
]


@pytest.mark.parametrize("around", [(text, "") for text in BEFORE] + [("", text) for text in AFTER])
def test_what_stands_around_an_answer_makes_it_no_other(around: tuple[str, str]) -> None:
    before, after = around
    for response, options, letter in WRITTEN:
        found = letter_of(before + response + after, options)
        assert found in (letter, None), response


def test_the_cases_are_many_and_differ() -> None:
    cases = CASES + WRITTEN + UNREAD
    assert len(cases) >= 1_000
    assert len({(response, options) for response, options, _ in cases}) == len(cases)


@pytest.mark.parametrize(("response", "options", "letter"), STATED)
def test_only_what_follows_the_thought_counts(
    response: str, options: tuple[str, ...], letter: str
) -> None:
    other = "A" if letter != "A" else "B"
    assert letter_of(f"<think>The answer is {other}.</think>\n{response}", options) == letter
    assert letter_of(f"<think>{response}</think>\nHm.", options) is None


@pytest.mark.parametrize(("response", "options", "letter"), STATED)
def test_a_later_answer_counts(response: str, options: tuple[str, ...], letter: str) -> None:
    first = "A" if letter != "A" else "B"
    assert letter_of(f"The answer is {first}. No: the answer is ({letter}).", options) == letter
    boxed = f"\\boxed{{{first}}} Wait, that is wrong. The correct answer is {letter}."
    assert letter_of(boxed, options) == letter


@pytest.mark.parametrize(
    ("response", "source", "answer"),
    [
        (r"Thus \boxed{\text{B}}.", "boxed", r"\text{B}"),
        ("<answer> B </answer>", "answer_tag", "B"),
        ("<answer>So the answer is B.</answer>", "answer_tag", "B"),
        ("#### B", "answer_line", "B"),
        ("Work.\nAnswer: (B)", "answer_line", "B"),
        ("Work.\n\n**B**", "answer_line", "B"),
        ("I choose B.", "statement", "B"),
        ("答案是B。", "statement", "B"),
        ("<think>\u00e9\U0001f600</think>The answer is B.", "statement", "B"),
        ("The answer is Paris.", "option_text", "Paris"),
        (r"\boxed{Paris}", "option_text", "Paris"),
        (" (B) ", "whole", "(B)"),
    ],
)
def test_source_and_span(response: str, source: str, answer: str) -> None:
    found = extract(response, prepare(CITIES, "A"))
    assert found is not None
    assert (found.letter, found.source) == ("B", source)
    assert response[found.start : found.end] == answer


@pytest.mark.parametrize("count", range(2, 27))
def test_letters_beyond_the_options_never_count(count: int) -> None:
    options = tuple(f"the reason numbered {place}" for place in range(count))
    for place, letter in enumerate(LETTERS):
        expected = letter if place < count else None
        assert letter_of(f"The answer is ({letter}).", options) == expected
        assert letter_of(f"\\boxed{{{letter}}}", options) == expected
        assert letter_of(f"Answer: {letter}", options) == expected


@pytest.mark.parametrize("place", range(10))
def test_an_option_is_named_by_its_text(place: int) -> None:
    assert letter_of(f"The answer is {TEN[place]}.", TEN) == LETTERS[place]
    assert letter_of(f"\\boxed{{\\text{{{TEN[place].title()}}}}}", TEN) == LETTERS[place]
    assert letter_of(f"Answer: ({LETTERS[place]}) {TEN[place]}", TEN) == LETTERS[place]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("The  Paris.", "paris"),
        (r"\text{Paris}", "PARIS"),
        ("$1,200$", "1200"),
        ("Ｐａｒｉｓ", "paris"),
        (r"\(x^{2}\)", "x^2"),
        (r"\dfrac{1}{2}", "1/2"),
        (r"\tfrac12", r"\frac{1}{2}"),
        (r"10\,\text{m/s}", "10 m/s"),
        (r"1{,}200", "1200"),
        (".5", "0.5"),
        (r"\sqrt 2", r"\sqrt{2}"),
        (r"50\%", "50%"),
    ],
)
def test_normalised(text: str, same: str) -> None:
    assert normalise(text) == normalise(same)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("12", "1,2"),
        ("-1", "1"),
        ("anion", "an ion"),
        (".12", "12"),
        (r"\frac{1}{14}", r"\frac{11}{4}"),
        (r"\sqrt{3}2", r"\sqrt{32}"),
        ("2^{10}", "2^{1}0"),
        (r"2\frac{1}{2}", "21/2"),
    ],
)
def test_kept_apart(text: str, same: str) -> None:
    assert normalise(text) != normalise(same)


def test_a_text_too_long_for_any_option_names_none() -> None:
    assert read("B " + "x" * 10_000, prepare(CITIES, "A")) is None


PIECES = st.sampled_from(
    [
        "The answer is ",
        "Answer: ",
        "(",
        ")",
        "A",
        "B",
        "I",
        "a",
        "**",
        "\\boxed{",
        "}",
        "\\text{",
        "<answer>",
        "</answer>",
        "<think>",
        "</think>",
        "\n",
        " ",
        ".",
        "?",
        " or ",
        " and ",
        " not ",
        "so ",
        "it is ",
        "选",
        "答案是",
        "选项",
        "正确",
        "####",
        "$",
        "I choose ",
        "Paris",
        "wait, ",
    ]
)


@given(st.lists(PIECES, max_size=40).map("".join), st.sampled_from([ANY, CITIES]))
def test_any_text_gives_a_letter_of_the_options_or_none(
    response: str, options: tuple[str, ...]
) -> None:
    found = extract(response, prepare(options, "A"))
    assert found == extract(response, prepare(options, "A"))
    if found is not None:
        last = "D" if options else "J"
        assert found.letter is None or "A" <= found.letter <= last
        assert 0 <= found.start <= found.end <= len(response)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz ,.\n", max_size=200))
def test_small_prose_without_the_word_chooses_nothing(text: str) -> None:
    if len(text.strip(" ,.\n")) > 1 and "nswer" not in text and "ns." not in text:
        assert letter_of(f"It says: {text} and no more", CITIES) is None


HOSTILE = [
    "A ", "  A", " " * 150 + "A", "the answer is A? ", "(((A", "\\boxed{", "\\boxed{A}", "A or ",
    "so so so B x", "answer answer answer A x", "answer is ", "most likely ", "<answer>",
    "</answer>", "is" + " " * 50 + "clearly" + " " * 50 + "A", "\n", "选", "答案是", "####",
    "if the answer is B ", "A\n", "B is the ", "not A but ", 'the answer "', "answer | A ", "A (x) ",
    "i.e. A", "the answer is Paris, ", "Antwort ", "\\frac{", "1,000", "Ａ", "**A**. ", "A best fits ",
]  # fmt: skip


def calls(response: str) -> int:
    """Functions called, built-in ones too: no clock, so no flicker."""
    count = 0

    def seen(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    options = prepare(CITIES, "A")
    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        extract(response, options)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("piece", HOSTILE)
def test_work_is_linear_in_hostile_text(piece: str) -> None:
    size = 1 << 14
    extract("A", prepare(CITIES, "A"))  # what is cached is cached
    small, large = calls(piece * (size // len(piece))), calls(piece * (4 * size // len(piece)))
    assert large <= 4.5 * small + 500


def test_the_letters_looked_at_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    inner = statements._at

    def counted(text: str, at: int, *rest: object) -> object:
        looked.append(at)
        return inner(text, at, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(statements, "_at", counted)
    response = "A " * 100_000
    assert letter_of(response) is None
    assert len(looked) == statements.MAX_LETTERS
    assert looked[0] == len(response) - 2
    assert len(set(looked)) == len(looked)


def test_a_letter_at_the_edge_of_a_chunk_is_found() -> None:
    for filler in range(600):
        response = "The answer is (B). " + "x" * filler
        assert letter_of(response) == "B", filler
        assert letter_of(f"The answer is BC. {'x' * filler}") is None, filler
