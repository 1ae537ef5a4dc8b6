from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.math.pace import slack
from verifier.instructions import registry
from verifier.instructions.verify import CONSTRAINTS, problem, variants, verify
from verifier.outcome import TaskOutcome
from verifier.v1 import verifier_pb2 as pb

NO_COMMA = ("punctuation:no_comma", {})
QUOTED = ("startend:quotation", {})
THREE_WORDS = ("length_constraints:number_words", {"num_words": 3, "relation": "at least"})


def task(*asked: tuple[str, dict[str, Any]], **fields: Any) -> pb.InstructionsTask:
    constraints = [pb.Constraint(id=name, kwargs=json.dumps(kwargs)) for name, kwargs in asked]
    return pb.InstructionsTask(constraints=constraints, **fields)


def raw(name: str, kwargs: str) -> pb.InstructionsTask:
    return pb.InstructionsTask(constraints=[pb.Constraint(id=name, kwargs=kwargs)])


def test_all_followed() -> None:
    outcome = verify(task(NO_COMMA, THREE_WORDS), "one two three", "")
    assert (outcome.status, outcome.reason, outcome.score) == (pb.Verdict.OK, pb.Part.followed, 1.0)
    assert (outcome.detail, outcome.message, outcome.extracted) == ("", "", None)
    results = outcome.evidence.instructions.constraints
    assert [result.id for result in results] == [NO_COMMA[0], THREE_WORDS[0]]
    assert all(result.strict and result.loose and not result.detail for result in results)


@pytest.mark.parametrize(
    ("scoring", "score"), [("UNSPECIFIED", 0.0), ("ALL", 0.0), ("FRACTION", 2 / 3)]
)
def test_one_is_not_followed(scoring: str, score: float) -> None:
    asked = task(
        THREE_WORDS, NO_COMMA, NO_COMMA, scoring=pb.InstructionsTask.Scoring.Value(scoring)
    )
    outcome = verify(asked, "one two", "")
    assert (outcome.status, outcome.reason) == (pb.Verdict.OK, pb.Part.not_followed)
    assert outcome.score == pytest.approx(score)
    assert outcome.detail == "length_constraints:number_words: 2 words"
    assert outcome.evidence.instructions.constraints[0].detail == "2 words"


def test_loose_counts_when_asked_for() -> None:
    response = 'Sure, here it is:\n"one two three"'
    strict = verify(task(NO_COMMA, QUOTED), response, "")
    loose = verify(task(NO_COMMA, QUOTED, loose=True), response, "")
    assert (strict.score, strict.reason) == (0.0, pb.Part.not_followed)
    assert (loose.score, loose.reason, loose.detail) == (1.0, pb.Part.followed, "")
    assert strict.evidence == loose.evidence
    results = loose.evidence.instructions.constraints
    assert [(result.strict, result.loose) for result in results] == [(False, True)] * 2
    assert all(result.detail for result in results)


def test_the_eight_variants() -> None:
    assert variants("*a*\n b\n*c") == (
        "*a*\n b\n*c",
        "a\n b\nc",
        "b\n*c",
        "b\nc",
        "*a*\n b",
        "a\n b",
        "b",
    )
    assert variants("one line") == ("one line", "")


@given(st.text(alphabet='*a",\n ', max_size=30))
def test_strict_implies_loose(response: str) -> None:
    for result in verify(
        task(NO_COMMA, QUOTED, THREE_WORDS), response, ""
    ).evidence.instructions.constraints:
        assert result.loose or not result.strict
        assert result.strict == (result.detail == "")


@pytest.mark.parametrize(
    "response", ["", "  \n", "<think>one two three</think>\n", "<think>one two three"]
)
def test_a_blank_answer_follows_nothing(response: str) -> None:
    outcome = verify(task(NO_COMMA, loose=True), response, "")
    assert (outcome.status, outcome.score) == (pb.Verdict.OK, 0.0)
    assert outcome.detail == "punctuation:no_comma: the response is blank"


def test_only_what_follows_the_last_thought_is_judged() -> None:
    first = (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 1, "nth_paragraph": 1, "first_word": "so"},
    )
    thought = "<think>a, b</think>, no, </think>\n\nSo one"
    assert verify(task(NO_COMMA, first), thought, "").score == 1.0
    assert verify(task(NO_COMMA), "a, b", "").score == 0.0
    # Without a thought nothing is cut off, as in the published verdicts.
    assert verify(task(first), "\n\nSo one", "").score == 0.0


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (task(), f"instructions.constraints: 1 to {CONSTRAINTS}, got 0"),
        (task(*[NO_COMMA] * 17), f"instructions.constraints: 1 to {CONSTRAINTS}, got 17"),
        (
            task(NO_COMMA, ("no_comma", {})),
            "instructions.constraints[1].id: one of keywords:existence, ",
        ),
        (raw("punctuation:no_comma", "{"), ".kwargs: a JSON object, got '{'"),
        (raw("punctuation:no_comma", "[]"), ".kwargs: a JSON object, got '[]'"),
        (raw("punctuation:no_comma", "null"), ".kwargs: a JSON object, got 'null'"),
        (raw("punctuation:no_comma", "[" * 60_000), ".kwargs: brackets nested at most 2 deep"),
        (raw("punctuation:no_comma", "9" * 60_000), ".kwargs: a JSON object"),
        (raw("punctuation:no_comma", " " * 65_537), ".kwargs: at most 65536 characters, got 65537"),
        (
            task(("punctuation:no_comma", {"num_words": 1})),
            ".kwargs: punctuation:no_comma takes no arguments, got 'num_words'",
        ),
        (
            task(("length_constraints:number_words", {"num_words": 1})),
            ".kwargs.relation: required by length_constraints:number_words, got none",
        ),
        (
            task(("length_constraints:number_words", {"num_words": None, "relation": "at least"})),
            ".kwargs.num_words: required",
        ),
        (
            task(("length_constraints:number_words", {"num_words": "3", "relation": "at least"})),
            ".kwargs.num_words: a whole number from 0 to 1048576, got '3'",
        ),
        (
            task(("length_constraints:number_words", {"num_words": True, "relation": "at least"})),
            "got True",
        ),
        (
            task(("length_constraints:number_words", {"num_words": 2.5, "relation": "at least"})),
            "got 2.5",
        ),
        (
            task(("length_constraints:number_words", {"num_words": -1, "relation": "at least"})),
            "got -1",
        ),
        (
            task(
                (
                    "length_constraints:number_words",
                    {"num_words": 1_048_577, "relation": "at least"},
                )
            ),
            "got 1048577",
        ),
        (
            raw("length_constraints:number_words", '{"num_words": 1e999, "relation": "at least"}'),
            "got inf",
        ),
        (
            raw("length_constraints:number_words", '{"num_words": NaN, "relation": "at least"}'),
            "got nan",
        ),
        (
            task(("length_constraints:number_words", {"num_words": 1, "relation": "at most"})),
            ".kwargs.relation: one of less than, at least, got 'at most'",
        ),
        (
            task(("keywords:existence", {"keywords": "fox"})),
            ".kwargs.keywords: a list of 1 to 32 texts, got 'fox'",
        ),
        (task(("keywords:existence", {"keywords": []})), "a list of 1 to 32 texts, got []"),
        (task(("keywords:existence", {"keywords": ["a"] * 33})), "a list of 1 to 32 texts"),
        (
            task(("keywords:existence", {"keywords": ["a", ""]})),
            "a list of texts of 1 to 200 characters",
        ),
        (
            task(("keywords:forbidden_words", {"forbidden_words": ["a" * 201]})),
            "a list of texts of 1 to 200 characters",
        ),
        (
            task(("keywords:frequency", {"keyword": " ", "frequency": 1, "relation": "at least"})),
            ".kwargs.keyword: a text of 1 to 200 characters, not blank",
        ),
        (
            task(
                (
                    "keywords:letter_frequency",
                    {"letter": "ab", "let_frequency": 1, "let_relation": "at least"},
                )
            ),
            ".kwargs.letter: one character",
        ),
        (
            task(
                (
                    "keywords:letter_frequency",
                    {"letter": " ", "let_frequency": 1, "let_relation": "at least"},
                )
            ),
            ".kwargs.letter: one character",
        ),
        (
            task(("language:response_language", {"language": "tlh"})),
            ".kwargs.language: one of af, ar, ",
        ),
        (
            task(("combination:repeat_prompt", {"prompt_to_repeat": ""})),
            ".kwargs.prompt_to_repeat: a text",
        ),
        (
            task(
                (
                    "length_constraints:nth_paragraph_first_word",
                    {"num_paragraphs": 2, "nth_paragraph": 3, "first_word": "a"},
                )
            ),
            "instructions.constraints[0].kwargs.nth_paragraph: at most num_paragraphs, 2, got 3",
        ),
        (
            task(
                (
                    "length_constraints:nth_paragraph_first_word",
                    {"num_paragraphs": 2, "nth_paragraph": 0, "first_word": "a"},
                )
            ),
            "a whole number from 1 ",
        ),
    ],
)
def test_what_cannot_be_verified_is_refused(asked: pb.InstructionsTask, message: str) -> None:
    found = problem(asked)
    assert found is not None
    assert message in found
    assert len(found) < 2_000
    outcome = verify(asked, "one two three", "")
    assert (outcome.status, outcome.score, outcome.message) == (pb.Verdict.INVALID, None, found)


@pytest.mark.parametrize(
    "asked",
    [
        task(*[NO_COMMA] * 16),
        raw("punctuation:no_comma", ""),
        raw("punctuation:no_comma", '{"num_words": null}'),
        task(
            (
                "length_constraints:number_words",
                {"num_words": 3.0, "relation": "at least", "language": None},
            )
        ),
        task(("length_constraints:number_words", {"num_words": 0, "relation": "less than"})),
    ],
)
def test_what_can_be_verified(asked: pb.InstructionsTask) -> None:
    assert problem(asked) is None
    assert verify(asked, "one two three", "").status == pb.Verdict.OK


# Texts of about n characters that tempt a checker to look at the same place again and again.
HOSTILE: dict[str, Callable[[int], str]] = {
    "letters": lambda n: "a" * n,
    "capitals": lambda n: "A" * n,
    "capital words": lambda n: "A " * (n // 2),
    "opening brackets": lambda n: "[" * n,
    "opening brackets by line": lambda n: "[[\n" * (n // 3),
    "closed at the end": lambda n: "[" * n + "]",
    "nested lists": lambda n: "[" * (n // 2) + "]" * (n // 2),
    "nested objects": lambda n: '{"a":' * (n // 6) + "1" + "}" * (n // 6),
    "flat list": lambda n: "[" + "1," * (n // 2) + "1]",
    "open string": lambda n: '"' + '\\"' * (n // 2),
    "one number": lambda n: "9" * n,
    "asterisks": lambda n: "*" * n,
    "asterisks by line": lambda n: "*\n" * (n // 2),
    "asterisks and letters": lambda n: "*a" * (n // 2),
    "newlines": lambda n: "x" + "\n" * n + "x",
    "spaces": lambda n: "x" + " " * n + "x",
    "spaces by line": lambda n: " \n" * (n // 2) + "x",
    "angles": lambda n: "<" * n,
    "angles, closed by line": lambda n: "<<>\n" * (n // 4),
    "full stops": lambda n: "." * n,
    "full stops apart": lambda n: ". " * (n // 2),
    "initials": lambda n: "A. " * (n // 3),
    "marks": lambda n: "?!" * (n // 2),
    "stopped quotes": lambda n: '."' * (n // 2),
    "quotes": lambda n: '"' * n,
    "apostrophes": lambda n: "'" * n,
    "clitics": lambda n: "N'T" * (n // 3),
    "commas": lambda n: "a," * (n // 2),
    "hyphens": lambda n: "-" * n,
    "addresses": lambda n: "a@" * (n // 2),
    "links": lambda n: "https://" * (n // 8),
    "sections": lambda n: "Section " * (n // 8),
    "postscripts": lambda n: "p. " * (n // 3),
    "thoughts": lambda n: "</think>" * (n // 8) + "x",
    "scripts": lambda n: "aéжא漢가 " * (n // 7),
}  # fmt: skip

EVERY = [
    ("keywords:existence", {"keywords": ["aaaaaaaab", "Section 1"]}),
    ("keywords:frequency", {"keyword": "aa", "frequency": 3, "relation": "less than"}),
    ("keywords:forbidden_words", {"forbidden_words": ["aaaaaaaab", "p"]}),
    ("keywords:letter_frequency", {"letter": "a", "let_frequency": 3, "let_relation": "less than"}),
    ("language:response_language", {"language": "fi"}),
    ("length_constraints:number_sentences", {"num_sentences": 1, "relation": "less than"}),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 77}),
    ("length_constraints:number_words", {"num_words": 0, "relation": "less than"}),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 1, "nth_paragraph": 1, "first_word": "b"}),
    ("detectable_content:number_placeholders", {"num_placeholders": 1_000_000}),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}),
    ("detectable_format:number_bullet_lists", {"num_bullets": 77}),
    ("detectable_format:constrained_response", {}),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 1_000_000}),
    ("detectable_format:multiple_sections", {"section_spliter": "Section", "num_sections": 1_000_000}),
    ("detectable_format:json_format", {}),
    ("detectable_format:title", {}),
    ("combination:two_responses", {}),
    ("combination:repeat_prompt", {"prompt_to_repeat": "b"}),
    ("startend:end_checker", {"end_phrase": "b"}),
    ("change_case:capital_word_frequency", {"capital_frequency": 0, "capital_relation": "less than"}),
    ("change_case:english_capital", {}),
    ("change_case:english_lowercase", {}),
    ("punctuation:no_comma", {}),
    ("startend:quotation", {}),
]  # fmt: skip


def judge_all(response: str) -> list[TaskOutcome]:
    assert {name for name, _ in EVERY} == set(registry.RULES)
    return [verify(task(*EVERY[start : start + 13]), response, "") for start in (0, 13)]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_steps_grow_with_the_text_alone(hostile: str) -> None:
    """Calls, in Python and below, of eight times the text: at most eight times as many."""
    steps = [_steps(HOSTILE[hostile](size)) for size in (2_048, 16_384)]
    assert steps[1] <= 9 * steps[0]


def _steps(response: str) -> int:
    judge_all(response)  # What is read once is read.
    count = 0

    def step(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(step)
    try:
        judge_all(response)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_search_never_starts_over(hostile: str) -> None:
    """What a regular expression does is no call; quadratic time would be minutes here."""
    response = HOSTILE[hostile](1 << 17)
    started = time.process_time()
    for outcome in judge_all(response):
        assert outcome.status == pb.Verdict.OK
    assert time.process_time() - started < 5 * slack()


def test_json_is_judged_the_same_however_deep_the_caller_stands() -> None:
    asked = task(("detectable_format:json_format", {}))
    shallow, deep = "[" * 200 + "]" * 200, "[" * 201 + "]" * 201

    def below(levels: int) -> tuple[float | None, float | None]:
        if levels:
            return below(levels - 1)
        return verify(asked, shallow, "").score, verify(asked, deep, "").score

    assert below(0) == below(300) == (1.0, 0.0)
