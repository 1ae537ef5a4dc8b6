from __future__ import annotations

import math

import pytest
import torch

from trainer.metrics import Figures, accuracy, describe_mismatch, majority
from verifier.client import Verdict


def verdict(extracted: str | None, score: float) -> Verdict:
    found = Verdict(extracted=extracted) if extracted is not None else Verdict()
    found.parts.add(name="format", score=1.0)
    found.parts.add(name="accuracy", score=score)
    return found


def test_accuracy_is_the_tasks_own_part() -> None:
    assert accuracy(verdict("7", 0.5)) == 0.5
    assert accuracy(Verdict()) == 0.0


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
    assert majority([verdict(*answer) for answer in answers]) == expected


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
