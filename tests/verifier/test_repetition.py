from __future__ import annotations

import gzip
import json
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.test_length import steps
from verifier import repetition
from verifier.length import words
from verifier.repetition import THRESHOLD, check, problem, share
from verifier.v1 import verifier_pb2 as pb

PROSE = (
    "To count the paths we look at the last step. It comes from the left or from below, so the "
    "number of ways to reach a point is the sum of the two before it. That is the rule of Pascal."
)


@pytest.mark.parametrize(
    ("text", "n", "expected"),
    [
        ("", 1, 0.0),
        ("a", 1, 0.0),
        ("a b", 3, 0.0),
        ("a b c", 3, 0.0),
        ("a a", 1, 1 / 2),
        ("a A a a", 1, 3 / 4),  # case is ignored
        ("a b a b", 2, 1 / 3),  # ab ba ab
        ("a b c a b c a b c", 3, 4 / 7),  # abc bca cab, each again, and abc
        ("ab c", 2, 0.0),
        ("a bc a b c", 2, 0.0),  # "a bc" is not "a b c"
        ("我们看我们看", 3, 1 / 4),
        (PROSE, 20, 0.0),
        (PROSE + "\n" + PROSE, 20, 22 / 63),  # 41 words twice
    ],
)
def test_share_by_hand(text: str, n: int, expected: float) -> None:
    assert share(text, n) == pytest.approx(expected)


@given(st.lists(st.sampled_from(["a", "b", "我", "cd", " " * 16, "x" * 20]), max_size=60), st.integers(1, 6))  # fmt: skip
def test_share_is_that_of_a_plain_count(pieces: list[str], n: int) -> None:
    found = words(" ".join(pieces))
    grams = [tuple(found[at : at + n]) for at in range(len(found) - n + 1)]
    expected = 1 - len(set(grams)) / len(grams) if grams else 0.0
    assert share(" ".join(pieces), n) == pytest.approx(expected)


@given(st.text(), st.integers(1, 64))
def test_share_is_a_share(text: str, n: int) -> None:
    assert 0.0 <= share(text, n) < 1.0


@given(st.text(min_size=1))
def test_whatever_is_said_over_and_over_is_found(line: str) -> None:
    assert check((line + "\n") * 1600, {}).reason == "repetitive"


@pytest.mark.parametrize(
    "unit", ["a", "!", "\n", " ", "我", "ha", "Wait, ", "So 4.\n", "\\quad", "0"]
)
def test_a_loop_after_an_honest_start_is_found(unit: str) -> None:
    start = " ".join(f"{PROSE} ({number})" for number in "abcdefgh")[:400]
    found = check(start + unit * (8000 // len(unit)), {})
    assert found.reason == "repetitive"
    assert found.score < 1 - THRESHOLD


def test_a_draft_given_again_in_the_answer_is_no_loop() -> None:
    thought = " ".join(f"Then we try {k} and see that {k * k} is not {k + 7}." for k in range(60))
    assert check(f"<think>{thought} {PROSE}</think>{PROSE}", {}).reason == "varied"


@pytest.mark.parametrize(
    ("response", "options", "score", "reason"),
    [
        (PROSE, {}, 1.0, "varied"),
        ("", {}, 1.0, "varied"),
        ("a a a a", {"n": "1"}, 0.25, "repetitive"),
        ("a a a a", {"n": "1", "threshold": "0.75"}, 0.25, "varied"),  # above, not at
        ("a a a a", {"n": "1", "threshold": "0.74"}, 0.25, "repetitive"),
        ("a a a a", {"n": "1", "max_penalty": "-1"}, -0.75, "repetitive"),
        ("a a a a", {"n": "1", "max_penalty": "-0.1"}, -0.075, "repetitive"),
        ("a b", {"n": "1", "max_penalty": "-1", "threshold": "0"}, 0.0, "varied"),
        ("a a", {"n": "1", "max_penalty": "0"}, 0.0, "repetitive"),
    ],
)
def test_check(response: str, options: dict[str, str], score: float, reason: str) -> None:
    assert problem(options) is None
    found = check(response, options)
    assert (found.score, found.reason) == (pytest.approx(score), reason)
    assert pb.Part.Reason.Value(reason) > 0


def test_detail() -> None:
    assert check("a a a a", {"n": "1"}).detail == "75.0 % of all runs of 1 words stood before"


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"n": "0"}, "options[n]: a whole number from 1 to 64, got '0'"),
        ({"n": "65"}, "options[n]"),
        ({"n": "2.0"}, "options[n]"),
        ({"max_penalty": "1"}, "options[max_penalty]: a number from -1000 to 0, got '1'"),
        ({"max_penalty": "-inf"}, "options[max_penalty]"),
        ({"threshold": "1.1"}, "options[threshold]: a number from 0 to 1, got '1.1'"),
        ({"threshold": "-0.1"}, "options[threshold]"),
        ({"threshold": ""}, "options[threshold]"),
    ],
)
def test_refused_options(options: dict[str, str], named: str) -> None:
    assert named in (problem(options) or "")


@given(st.dictionaries(st.sampled_from(sorted(repetition.OPTIONS)), st.text(max_size=8)), st.text())
def test_any_options_are_refused_or_usable(options: dict[str, str], response: str) -> None:
    if problem(options) is None:
        assert -1000 <= check(response, options).score <= 1


@pytest.mark.parametrize("unit", ["a ", "a", "\n", "我", "ab cd ", "a" * 17])
def test_time_is_linear_on_hostile_text(unit: str) -> None:
    assert steps(share, unit * 8000) <= 4 * steps(share, unit * 2000) + 100
    text = unit * (2**20 // len(unit.encode()))
    assert share(text, 64) > 0.99


@pytest.mark.parametrize(
    ("name", "loops"),
    [("livecodebench_o1mini", 0), ("ifeval_2models", 10), ("mmlu_pro_llama3.1-8b-instruct", 10)],
)
def test_real_answers_are_varied_but_for_real_loops(data_dir: Path, name: str, loops: int) -> None:
    with gzip.open(data_dir / "verdicts" / f"{name}.jsonl.gz", "rt") as lines:
        responses = [json.loads(line)["response"] for line in islice(lines, 600)]
    found = [check(response, {}) for response in responses]
    assert len(found) == 600
    assert sum(result.reason == "repetitive" for result in found) <= loops
    # Three out of four have not one sentence twice.
    assert sorted(result.score for result in found)[150] == 1.0
