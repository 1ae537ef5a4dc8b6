"""MMLU-Pro: its prompt, its own extraction, and the published predictions of Llama-3.1-8B-Instruct.

The stored responses hold the last 1,500 characters: where more was cut off, the published
letter may rest on what is missing.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.benchmark import Graded, Question, Sample
from evals.benchmarks import named
from evals.benchmarks.mmlu_pro import OFFICIAL, SHOTS, TEST, Official, Rule, aggregate, extract
from evals.scoring import graded
from tests.evals.benchmarks.support import folder, item, read, real, sample, scores, text, verdicts
from verifier.embedded import EmbeddedServer

KEPT = 1_500
UNGRADED = Graded("ok", 0.0)

ROW = {
    "question_id": 70,
    "question": "Which is a city?",
    "options": ["red", "Oslo", "N/A", "N/A"],
    "answer": "B",
    "answer_index": 1,
    "category": "history",
}
SHOT = {
    "question": "Which is a number?",
    "options": ["one", "dog"],
    "category": "history",
    "cot_content": "A: Let's think step by step. A dog is none. The answer is (A).",
}
HEAD = (
    "The following are multiple choice questions (with answers) about history. Think step by step "
    'and then output the answer in the format of "The answer is (X)" at the end.\n\n'
)
ASKED = (
    "Question: Which is a city?\nOptions: A. red\nB. Oslo\nAnswer: Let's think step by step.\n\n"
)


def test_zero_shot(tmp_path: Path, server: EmbeddedServer) -> None:
    (question,) = named("mmlu_pro").load(folder(tmp_path, {TEST.path: [ROW]}))
    assert (question.id, question.gold, question.slices) == ("70", "B", {"subject": "history"})
    assert text(question) == HEAD + ASKED
    assert scores(server, [(question, "The answer is (B)."), (question, "Hm. (A)")]) == [1, 0]


def test_five_shot(tmp_path: Path) -> None:
    other = SHOT | {"category": "law"}
    data = folder(tmp_path, {TEST.path: [ROW], SHOTS.path: [SHOT, other, SHOT]})
    benchmark = named("mmlu_pro_5shot")
    (question,) = benchmark.load(data)
    shot = (
        "Question: Which is a number?\nOptions: A. one\nB. dog\n"
        "Answer: Let's think step by step. A dog is none. The answer is (A).\n\n"
    )
    assert text(question) == HEAD + shot + shot + ASKED
    assert benchmark.protocol(None) == OFFICIAL
    assert benchmark.headline == "official"


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


def test_guesses_are_told_apart() -> None:
    pairs = [("A", "answer is A"), ("A", "B"), ("G", "nothing"), ("A", "nothing")]
    pairs += [("C", "<think>The answer is (B)</think>The answer is (C)")]
    samples = [sample(Question("q", (), gold=gold), said, UNGRADED) for gold, said in pairs]
    figures = {"official": 0.6, "official_without_guesses": 0.4, "guessed": 0.4}
    assert aggregate(samples) == pytest.approx(figures)
    assert aggregate([]) == {}


# ---------------------------------------------------------------- the published predictions


@pytest.fixture(scope="module")
def rows(data_dir: Path) -> list[dict[str, Any]]:
    return read(data_dir / "verdicts" / "mmlu_pro_llama3.1-8b-instruct.jsonl.gz")


@pytest.fixture(scope="module")
def samples(rows: list[dict[str, Any]], data_dir: Path) -> list[Sample]:
    questions = {one.id: one for one in real(data_dir, named("mmlu_pro"), TEST.path)}
    asked = [questions[row["id"].rpartition("-")[2]] for row in rows]
    assert all(row["gold"] == one.gold for row, one in zip(rows, asked, strict=True))
    return [sample(one, row["response"], UNGRADED) for row, one in zip(rows, asked, strict=True)]


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


def test_published_accuracy(rows: list[dict[str, Any]], samples: list[Sample]) -> None:
    assert all(row["expected"] == (row["pred"] == row["gold"]) for row in rows)
    published = sum(row["expected"] for row in rows)
    assert f"{published / len(rows):.2%}" == "44.19%"
    figures = aggregate(samples)
    # Two right letters rest on what was cut off.
    assert round(figures["official"] * len(rows)) == published - 2
    assert {name: f"{value:.2%}" for name, value in figures.items()} == {
        "official": "44.17%",
        "official_without_guesses": "43.48%",
        "guessed": "7.13%",
    }


def test_agreement_with_the_choice_verifier(samples: list[Sample], server: EmbeddedServer) -> None:
    """Where the response states its answer, both give the same letter, but for two letters
    at once (none of ours), a later answer (ours is the later), and a name read as a letter."""
    found = verdicts(server, [item(one.question, one.response) for one in samples])
    kinds: Counter[tuple[Rule, str]] = Counter()
    for one, verdict in zip(samples, found, strict=True):
        official, letter = extract(one.response), graded(verdict).extracted
        kind = "same" if letter == official.letter else "other" if letter else "none"
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
