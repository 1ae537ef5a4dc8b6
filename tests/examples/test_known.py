"""The comparison of a verdict with the known one."""

from __future__ import annotations

import pytest
from known import Expectation, difference

from verifier.v1 import verifier_pb2 as pb

RIGHT = Expectation("OK", accuracy=1.0, reason="match", format=1.0, language=(0.5, 1.0))


def verdict(
    accuracy: float = 1.0, language: float = 0.75, reward: float | None = None
) -> pb.Verdict:
    scores = (
        ("accuracy", accuracy, pb.Part.match if accuracy else pb.Part.no_match),
        ("format", 1.0, pb.Part.well_formed),
        ("language", language, pb.Part.share),
    )
    return pb.Verdict(
        status=pb.Verdict.OK,
        reward=accuracy + 1.0 + language if reward is None else reward,
        parts=[
            pb.Part(name=name, score=score, weight=1.0, reason=reason)
            for name, score, reason in scores
        ],
    )


def test_agreement() -> None:
    assert difference(RIGHT, verdict()) is None


@pytest.mark.parametrize(
    ("got", "words"),
    [
        (verdict(accuracy=0.0), "accuracy 0 (no_match)"),
        (verdict(language=0.25), "language 0.25 (share)"),
        (verdict(reward=3.0), "reward 3, but the parts make 2.75"),
        (pb.Verdict(status=pb.Verdict.OK), "no reward"),
        (pb.Verdict(status=pb.Verdict.OK, reward=1.0), "no accuracy score"),
        (pb.Verdict(status=pb.Verdict.INTERNAL), "status INTERNAL ()"),
    ],
)
def test_each_difference_is_named(got: pb.Verdict, words: str) -> None:
    assert difference(RIGHT, got) == words


def test_a_reason_is_compared_only_where_one_is_claimed() -> None:
    assert difference(Expectation("OK", accuracy=1.0), verdict()) is None
    claimed = Expectation("OK", accuracy=1.0, reason="accepted")
    assert difference(claimed, verdict()) == "reason match"


def test_a_reward_beside_a_failure_is_a_difference() -> None:
    failed = pb.Verdict(status=pb.Verdict.INVALID, reward=0.0)
    assert difference(Expectation("INVALID"), failed) is not None
    failed.ClearField("reward")
    assert difference(Expectation("INVALID"), failed) is None
