"""MMLU-Pro's own extraction, on hand-written texts and on the published predictions.

The stored responses hold the last 1,500 characters: where more was cut off, the published
letter may rest on what is missing.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.choice.extract import extract as own
from verifier.choice.official import Official, Rule, extract, tally
from verifier.choice.options import prepare

KEPT = 1_500


@pytest.mark.parametrize(
    ("response", "letter", "rule"),
    [
        ("The answer is (B).", "B", Rule.ANSWER_IS),
        ("The answer is B or the answer is C", "B", Rule.ANSWER_IS),
        ("The answer is Elephant", "E", Rule.ANSWER_IS),
        ("Answer: A. The answer is (B", "B", Rule.ANSWER_IS),
        ("Answer: A", "A", Rule.ANSWER_LINE),
        ("answer:\n\nC", "C", Rule.ANSWER_LINE),
        ("Answer: A, no, Answer: B\nAnswer: C", "B", Rule.ANSWER_LINE),
        ("Answer:Answer:C", "C", Rule.ANSWER_LINE),
        ("The Answer is B. I say", "I", Rule.LAST_LETTER),
        ("A B C-D", "D", Rule.LAST_LETTER),
        ("A_B K", "G", Rule.GUESS),
        ("", "G", Rule.GUESS),
        ("nothing", "G", Rule.GUESS),
    ],
)
def test_rules(response: str, letter: str, rule: Rule) -> None:
    assert extract(response) == Official(letter, rule)


def patterns(text: str) -> str | None:
    """The script's three patterns as they are, whatever time they take."""
    for pattern, flags in (
        (r"answer is \(?([A-J])\)?", 0),
        (r".*[aA]nswer:\s*([A-J])", 0),
        (r"(\b[A-J]\b)(?!.*\b[A-J]\b)", re.DOTALL),
    ):
        match = re.search(pattern, text, flags)
        if match:
            return match.group(1)
    return None


PIECES = st.sampled_from(["answer is ", "Answer:", "answer: ", "(", "A", "C", "\n", " ", "x", "é"])


@given(st.lists(PIECES, max_size=30).map("".join))
def test_equal_to_the_patterns(text: str) -> None:
    found = extract(text)
    expected = patterns(text)
    assert (None if found.rule is Rule.GUESS else found.letter) == expected


def test_tally() -> None:
    counted = tally(
        [
            ("A", Official("A", Rule.ANSWER_IS)),
            ("A", Official("B", Rule.LAST_LETTER)),
            ("G", Official("G", Rule.GUESS)),
            ("A", Official("G", Rule.GUESS)),
        ]
    )
    assert (counted.total, counted.right, counted.guesses, counted.right_guesses) == (4, 2, 2, 1)
    assert counted.accuracy == 0.5
    assert counted.guess_share == 0.5
    assert counted.accuracy_without_guesses == 0.25


# ---------------------------------------------------------------- the published predictions


def read(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        pytest.skip(f"no {path.name}")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def rows(data_dir: Path) -> list[dict[str, Any]]:
    return read(data_dir / "verdicts" / "mmlu_pro_llama3.1-8b-instruct.jsonl.gz")


def test_published_letters(rows: list[dict[str, Any]]) -> None:
    assert len(rows) == 12_032
    whole = [row for row in rows if len(row["response"]) < KEPT]
    assert len(whole) == 10_869
    for row in whole:
        assert extract(row["response"]).letter == row["pred"], row["id"]
    # Of the others, each letter that the part kept still shows: but one, whose "answer is"
    # stood before it.
    cut = [row for row in rows if len(row["response"]) >= KEPT]
    shown = [row for row in cut if extract(row["response"]).rule is not Rule.GUESS]
    other = [row["id"] for row in shown if extract(row["response"]).letter != row["pred"]]
    assert (len(cut), len(shown)) == (1_163, 310)
    assert other == ["mmlupro-llama3.1-8b-instruct-3550"]


def test_published_accuracy(rows: list[dict[str, Any]]) -> None:
    assert all(row["expected"] == (row["pred"] == row["gold"]) for row in rows)
    published = sum(row["expected"] for row in rows)
    assert f"{published / len(rows):.2%}" == "44.19%"
    counted = tally((row["gold"], extract(row["response"])) for row in rows)
    # Two right letters rest on what was cut off.
    assert counted.right == published - 2
    assert f"{counted.accuracy:.2%}" == "44.17%"
    assert (counted.guesses, counted.right_guesses) == (858, 84)
    assert f"{counted.guess_share:.2%} {counted.accuracy_without_guesses:.2%}" == "7.13% 43.48%"


def test_agreement_with_our_own(rows: list[dict[str, Any]], data_dir: Path) -> None:
    """Where the response states its answer, both give the same letter, but for two letters
    at once (none of ours), a later answer (ours is the later), and a name read as a letter."""
    questions = {
        question["question_id"]: question["options"]
        for question in read(data_dir / "mmlu_pro" / "test.jsonl.gz")
    }
    kinds: Counter[tuple[Rule, str]] = Counter()
    for row in rows:
        options = prepare(questions[int(row["id"].rpartition("-")[2])], row["gold"])
        official, found = extract(row["response"]), own(row["response"], options)
        letter = found.letter if found else None
        kind = "same" if letter == official.letter else "none" if letter is None else "other"
        kinds[official.rule, kind] += 1
    assert dict(kinds) == {
        (Rule.ANSWER_IS, "same"): 10_952,
        (Rule.ANSWER_IS, "none"): 19,
        (Rule.ANSWER_IS, "other"): 10,
        (Rule.LAST_LETTER, "same"): 25,
        (Rule.LAST_LETTER, "none"): 167,
        (Rule.LAST_LETTER, "other"): 1,
        (Rule.GUESS, "none"): 857,
        (Rule.GUESS, "other"): 1,
    }
