"""Planted questions are found however they are dressed; innocent texts are not."""

from __future__ import annotations

import json
import string
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.data import DataError
from trainer.pipeline.decontaminate import RUN, Benchmarks, read_benchmarks, words

QUESTIONS = (
    "Every morning Aya goes for a $9$-kilometer-long walk and stops at a coffee shop afterwards.",
    r"Find the number of ordered pairs $(x,y)$, where both $x$ and $y$ are integers between "
    r"$-100$ and $100$, inclusive, such that $12x^{2}-xy-6y^{2}=0$.",
    "某班有四十名学生,其中二十五人会游泳,十八人会滑冰,问两样都会的至少有几人?",
    "What is the value of $1+1$?",
    "ある村に三つの井戸があり、それぞれの水の量は毎日少しずつ増えていく。",
)
BENCHMARKS = Benchmarks(("planted", n, text) for n, text in enumerate(QUESTIONS, 1))
WORDS = st.lists(st.text(string.ascii_lowercase, min_size=1, max_size=6), min_size=1, max_size=40)


@pytest.mark.parametrize("number", range(len(QUESTIONS)))
@pytest.mark.parametrize(
    "dressed",
    [
        str,
        str.upper,
        lambda text: text.replace(" ", "\n  "),
        lambda text: text.replace("$", "").replace(",", " , ").replace(".", " ..."),
        lambda text: text.replace("$", " \\, ").replace("(", "\\left( ").replace(")", "\\right) "),
        lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    ],
)
def test_planted_questions_are_found(number: int, dressed: object) -> None:
    assert callable(dressed)
    hit = BENCHMARKS.find(dressed(QUESTIONS[number]))
    assert hit is not None
    assert (hit.file, hit.line) == ("planted", number + 1)


@pytest.mark.parametrize("number", [0, 1, 2, 4])
def test_long_ones_are_found_within_others(number: int) -> None:
    text = f"Think well, then answer. {QUESTIONS[number]} Explain every step that you take!"
    assert (hit := BENCHMARKS.find(text)) is not None
    assert hit.line == number + 1
    assert len(hit.words.split()) == RUN


@pytest.mark.parametrize("text", [
    "", "$$", "Compute the value of $1+1$ and then double it, please, as fast as you can.",
    "Every morning Aya goes for a 9-kilometer run.",  # nine of its words
    "某班有四十名学生,每人种两棵树,一共种了多少棵?",
    "Find the number of ordered pairs of integers whose sum is less than a hundred and one.",
    "What is the value of $1+2$?",
])  # fmt: skip
def test_innocent_ones_are_not(text: str) -> None:
    assert BENCHMARKS.find(text) is None


def test_a_run_of_ten_and_not_of_nine() -> None:
    told = "one two three four five six seven eight nine ten eleven"
    found = Benchmarks([("f", 1, told)])
    assert found.find("zero one two three four five six seven eight nine ten") is not None
    assert found.find("one two three four five six seven eight nine 10 eleven 12") is None


@given(WORDS, WORDS, WORDS)
def test_what_is_found_is_what_shares_a_run(
    question: list[str], before: list[str], after: list[str]
) -> None:
    benchmarks = Benchmarks([("f", 1, " ".join(question))])
    planted = [*before, *question, *after]
    if len(question) >= RUN:
        assert benchmarks.find(" ".join(planted)) is not None
    runs = {tuple(question[n : n + RUN]) for n in range(len(question) - RUN + 1)}
    text = [*before, *after]
    shared = any(tuple(text[n : n + RUN]) in runs for n in range(len(text)))
    assert (benchmarks.find(" ".join(text)) is not None) == (shared or text == question)


@given(st.text())
def test_words_have_no_case_and_no_punctuation(text: str) -> None:
    found = words(text)
    assert words(" ".join(found)) == found
    assert not any(one.isspace() or one in string.punctuation for word in found for one in word)


def test_files_of_questions(tmp_path: Path) -> None:
    rows = [{"question": QUESTIONS[0]}, {"id": 1, "problem": QUESTIONS[1]},
            {"benchmark": "b", "prompt": QUESTIONS[2], "question": "not this one"}]  # fmt: skip
    lines = tmp_path / "a.jsonl"
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = tmp_path / "b.txt"
    text.write_text(f"{QUESTIONS[3]}\n\n{QUESTIONS[4]}\n")
    found = read_benchmarks([lines, text])
    hits = [found.find(question) for question in QUESTIONS]
    assert [str(hit).partition(": ")[0] for hit in hits] == [
        "a.jsonl, line 1", "a.jsonl, line 2", "a.jsonl, line 3", "b.txt, line 1", "b.txt, line 3",
    ]  # fmt: skip
    lines.write_text('{"text": "none"}\n')
    with pytest.raises(DataError, match="line 1: one of prompt, question, problem"):
        read_benchmarks([lines])
    with pytest.raises(DataError, match=r"none\.txt"):
        read_benchmarks([tmp_path / "none.txt"])


DISGUISED = (
    "In how many ways can the letters of one word be placed so that $\\frac{1}{2}$ of them stay?"
)
DISGUISES: dict[str, Callable[[str], str]] = {
    "full width": lambda text: "".join(
        chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text
    ),
    "mathematical letters": lambda text: "".join(
        chr(ord(c) + 0x1D41A - 97) if "a" <= c <= "z" else c for c in text
    ),
    "zero-width spaces": "\u200b".join,
    "soft hyphens": lambda text: text.replace("e", "e\u00ad"),
    "marks of direction": "\u202e".join,
    "variation selectors": "\ufe0f".join,
    "line breaks": lambda text: text.replace(" ", " \r\n\t"),
    "entities": lambda text: text.replace(" ", "&nbsp;").replace("e", "&#101;"),
    "tags": lambda text: " ".join(f'<b class="x">{word}</b><br/>' for word in text.split()),
    "\\text": lambda text: " ".join(f"\\text{{{word}}}" for word in text.split()),
    "fonts": lambda text: " ".join(f"\\textbf{{{word}}}" for word in text.split()),
    "\\dfrac": lambda text: text.replace("frac", "dfrac"),
    "Markdown": lambda text: " ".join(f"**{word}**" for word in text.split()),
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_trivial_disguises_are_seen_through(disguise: str) -> None:
    found = Benchmarks([("f", 1, DISGUISED)], run=len(words(DISGUISED)))
    assert found.find(DISGUISES[disguise](DISGUISED)) is not None
    hidden = Benchmarks([("f", 1, DISGUISES[disguise](DISGUISED))], run=len(words(DISGUISED)))
    assert hidden.find(f"Well: {DISGUISED}") is not None


def test_what_only_looks_like_html_stays() -> None:
    assert words("a < b and c > d, p<q>r, AT&T") == [
        "a",
        "b",
        "and",
        "c",
        "d",
        "p",
        "q",
        "r",
        "at",
        "t",
    ]
