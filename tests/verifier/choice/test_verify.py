"""The verifier as the engine sees it."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.choice.cases import CASES, CITIES
from tests.verifier.choice.written import UNREAD, WRITTEN
from verifier.choice.options import MAX_OPTION_CHARS
from verifier.choice.verify import VERSION, problem, verify
from verifier.v1 import verifier_pb2 as pb


def test_match() -> None:
    task = pb.ChoiceTask(gold="B", options=CITIES)
    found = verify(task, "<think>A?</think>The answer is (B).")
    assert (found.status, found.reason, found.score) == (pb.Verdict.OK, pb.Part.match, 1.0)
    assert found.extracted == "B"
    choice = found.evidence.choice
    assert (choice.source, choice.start, choice.end) == ("statement", 32, 33)
    assert found.evidence.WhichOneof("of") == "choice"


def test_no_match() -> None:
    found = verify(pb.ChoiceTask(gold="B", options=CITIES), "The answer is Rome.")
    assert (found.status, found.reason, found.score) == (pb.Verdict.OK, pb.Part.no_match, 0.0)
    assert found.extracted == "C"
    assert found.evidence.choice.source == "option_text"


@pytest.mark.parametrize(
    ("response", "detail"),
    [
        ("", "the response commits itself to no option"),
        ("A dog.", "the response commits itself to no option"),
        ("The answer is A or B.", "names several options at once"),
        ("<think>The answer is B.", "the thought never ended"),
        (r"\boxed{B", "the last box is never closed"),
        (r"\boxed{42}", "the response commits itself to no option"),
    ],
)
def test_no_answer(response: str, detail: str) -> None:
    found = verify(pb.ChoiceTask(gold="B"), response)
    assert (found.status, found.reason, found.score) == (pb.Verdict.OK, pb.Part.no_answer, 0.0)
    assert found.extracted is None
    assert found.detail == detail
    choice = found.evidence.choice
    assert (choice.source, choice.start, choice.end) == ("", 0, 0)
    assert found.evidence.WhichOneof("of") == "choice"


@pytest.mark.parametrize("gold", ["B", "b", "(B)", "(b)", "B.", " B "])
def test_forms_of_the_reference(gold: str) -> None:
    task = pb.ChoiceTask(gold=gold, options=CITIES)
    assert problem(task) is None
    assert verify(task, "Answer: B").score == 1.0
    assert verify(task, "Answer: A").score == 0.0


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (pb.ChoiceTask(), "choice.gold: a letter from A to Z, got ''"),
        (pb.ChoiceTask(gold="Paris"), "choice.gold: a letter from A to Z, got 'Paris'"),
        (pb.ChoiceTask(gold="Ä"), "choice.gold: a letter from A to Z, got 'Ä'"),
        (
            pb.ChoiceTask(gold="E", options=CITIES),
            "choice.gold: a letter from A to D, got 'E'",
        ),
        (
            pb.ChoiceTask(gold="A", options=["one"]),
            "choice.options: 2 to 26 options or none, got 1",
        ),
        (
            pb.ChoiceTask(gold="A", options=[str(n) for n in range(27)]),
            "choice.options: 2 to 26 options or none, got 27",
        ),
        (
            pb.ChoiceTask(gold="A", options=["x", " "]),
            "choice.options[1]: must not be empty",
        ),
        (
            pb.ChoiceTask(gold="A", options=["x", "y" * (MAX_OPTION_CHARS + 1)]),
            "choice.options[1]: at most 4000 characters, got 4001",
        ),
    ],
)
def test_problem(task: pb.ChoiceTask, message: str) -> None:
    assert problem(task) == message


def test_no_reference_letter_is_refused() -> None:
    with pytest.raises(ValueError, match="a letter from A to Z"):
        verify(pb.ChoiceTask(gold="?"), "B")


def test_a_reference_beyond_the_usual_letters_counts_where_no_options_are_given() -> None:
    assert verify(pb.ChoiceTask(gold="M"), "The answer is M.").score == 1.0
    assert verify(pb.ChoiceTask(gold="B"), "The answer is M.").reason == pb.Part.no_answer


@pytest.mark.parametrize(("response", "options", "letter"), CASES)
def test_only_the_reference_letter_scores(
    response: str, options: tuple[str, ...], letter: str | None
) -> None:
    count = len(options) or 10
    for gold in "ABCDEFGHIJ"[:count]:
        found = verify(pb.ChoiceTask(gold=gold, options=options), response)
        assert found.score == (1.0 if letter == gold else 0.0)


@given(st.text(max_size=300))
def test_any_text_has_a_verdict(response: str) -> None:
    found = verify(pb.ChoiceTask(gold="A", options=CITIES), response)
    assert found.status == pb.Verdict.OK
    assert found.score in (0.0, 1.0)
    assert (found.reason == pb.Part.no_answer) == (found.extracted is None)


def test_the_version_stands_for_these_verdicts() -> None:
    """Another digest is another verdict somewhere: it asks for another version beside it."""
    given = [(response, options) for response, options, _ in CASES + WRITTEN + UNREAD]
    told = [verify(pb.ChoiceTask(gold="A", options=opts), text).extracted for text, opts in given]
    digest = hashlib.sha256(repr(told).encode()).hexdigest()[:16]
    assert (VERSION, digest) == ("2", "4899f687c62e415d")
