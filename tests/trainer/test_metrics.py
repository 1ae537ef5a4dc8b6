from __future__ import annotations

import math

import pytest
import torch

from trainer.metrics import Figures, accuracy, describe_mismatch, majority
from verifier.client import Verdict
from verifier.v1.verifier_pb2 import Part

REASON = {None: Part.no_answer, "7": Part.match, "8": Part.no_match}
"""Of the answers below: 7 is right."""


def verdict(reason: Part.Reason.ValueType, score: float, extracted: str | None = None) -> Verdict:
    found = Verdict(reward=score)
    if extracted is not None:
        found.extracted = extracted
    found.parts.add(name="format", score=1.0, reason=Part.well_formed)
    found.parts.add(name="accuracy", score=score, reason=reason)
    return found


@pytest.mark.parametrize(
    ("reason", "score", "expected"),
    [
        (Part.match, 1.0, 1.0),
        (Part.match, 0.2, 1.0),  # what a recipe gives for it
        (Part.accepted, 3.0, 1.0),
        (Part.followed, -1.0, 1.0),
        (Part.no_match, -1.0, 0.0),
        (Part.no_answer, 1.0, 0.0),
        (Part.wrong_answer, 0.75, 0.0),  # three of four tests
        (Part.judged, 0.5, 0.5),
        (Part.rated, -2.5, -2.5),
    ],
)
def test_accuracy_is_by_the_reason_and_not_by_what_a_recipe_pays(
    reason: Part.Reason.ValueType, score: float, expected: float
) -> None:
    assert accuracy(verdict(reason, score)) == expected


def test_every_reason_that_the_tasks_of_rules_can_give_is_right_or_wrong() -> None:
    for number in range(Part.match, Part.not_run + 1):
        if number in Part.Reason.values() and number not in (Part.gold_unparsable, Part.undecided):
            reason = Part.Reason.ValueType(number)
            told = [accuracy(verdict(reason, score)) for score in (0.3, -1.0)]
            assert told in ([0.0, 0.0], [1.0, 1.0]), Part.Reason.Name(reason)


def test_what_has_no_accuracy() -> None:
    assert accuracy(Verdict(reward=1.0)) is None
    failed = verdict(Part.match, 1.0)
    failed.ClearField("reward")
    assert accuracy(failed) is None
    assert majority([failed]) is None


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([("7", 1.0), ("7", 1.0), ("8", 0.0)], 1.0),
        ([("7", 1.0), ("8", 0.0), ("8", 0.0)], 0.0),
        ([("7", 1.0), ("8", 0.0)], 1.0),
        ([("8", 0.0), ("7", 1.0)], 0.0),
        ([(None, 0.0), (None, 0.0), ("7", 1.0)], 1.0),
        ([(None, 0.0)], 0.0),
    ],
)
def test_majority(answers: list[tuple[str | None, float]], expected: float) -> None:
    samples = [verdict(REASON[extracted], 2 * score - 1, extracted) for extracted, score in answers]
    assert majority(samples) == expected


def test_a_task_without_answers_has_no_majority() -> None:
    assert majority([verdict(Part.followed, 1.0), verdict(Part.not_followed, 0.0)]) is None


def test_figures_are_means_over_all_parts_and_maxima() -> None:
    figures = Figures()
    figures.add("a", 1.0)
    figures.add_all({"a": (torch.tensor(5.0), 2)}, {"m": torch.tensor(3.0)})
    figures.most("m", 2.0)
    figures.add("never", 0.0, 0)
    assert figures.merged(None, 1) == {"a": 2.0, "m": 3.0}


def test_mismatch() -> None:
    figures = Figures()
    describe_mismatch(figures, torch.tensor([-1.0, -2.0, -3.0]), torch.tensor([-1.0, -2.1, -2.5]))
    found = figures.merged(None, 1)
    assert found["mismatch/logprob_abs_median"] == pytest.approx(0.1)
    assert found["mismatch/logprob_abs_max"] == pytest.approx(0.5)
    expected = (math.exp(0.1) - 1.1 + math.exp(-0.5) - 0.5) / 3
    assert found["mismatch/kl"] == pytest.approx(expected, rel=1e-4)
