"""The demo's pure pieces. The whole run, with a server, is `make demo`."""

from __future__ import annotations

from pathlib import Path

import demo
import pytest
from known import Expectation, Known, KnownSet

from verifier.v1 import verifier_pb2 as pb

RIGHT = pb.Verdict(
    status=pb.Verdict.OK,
    reward=1.0,
    parts=[pb.Part(name="accuracy", score=1.0, weight=1.0, reason=pb.Part.match)],
)


def known_set(name: str, count: int) -> KnownSet:
    expected = Expectation("OK", accuracy=1.0)
    return KnownSet(name, [Known(pb.Item(id=f"{name}-{n}"), expected) for n in range(count)])


def result(name: str, count: int, right: int) -> demo.Result:
    wrong = pb.Verdict(status=pb.Verdict.INTERNAL)
    verdicts = {place: RIGHT if place < right else wrong for place in range(count)}
    return demo.Result(known_set(name, count), verdicts, seconds=0.5)


def test_a_thinned_set_is_spread_evenly() -> None:
    kept = demo.thinned(known_set("real", 10), 4)
    assert [known.item.id for known in kept.items] == ["real-0", "real-2", "real-5", "real-7"]
    assert demo.thinned(kept, None) is kept
    assert demo.thinned(kept, 4) is kept


@pytest.mark.parametrize(
    ("own_right", "real_right", "passed"),
    [(10, 200, True), (10, 198, True), (10, 197, False), (9, 200, False)],
)
def test_passing_takes_all_own_items_and_99_percent_of_the_real(
    own_right: int, real_right: int, passed: bool
) -> None:
    figures = demo.summary(
        [result(demo.OWN_NAME, 10, own_right), result("real", 200, real_right)], {}
    )
    assert figures["passed"] is passed
    assert figures["own_items"] == 10
    assert figures["real_items"] == 200
    assert figures["items_per_second"] == 210


def test_without_real_sets_the_own_items_decide() -> None:
    figures = demo.summary([result(demo.OWN_NAME, 10, 10)], {})
    assert figures["passed"] is True
    assert figures["real_agreement"] is None


def test_a_missing_verdict_fails_the_run_and_counts_as_disagreement() -> None:
    short = result("real", 200, 200)
    del short.verdicts[7]
    figures = demo.summary([result(demo.OWN_NAME, 10, 10), short], {})
    assert figures["passed"] is False
    assert figures["real_agreement"] == 199 / 200
    assert [got for _, got in short.disagreements()] == ["no verdict"]


def test_an_explanation_changes_no_figure_but_the_unexplained() -> None:
    results = [result(demo.OWN_NAME, 10, 10), result("real", 200, 199)]
    without, given = demo.summary(results, {}), demo.summary(results, {"real-199": "why"})
    assert without["unexplained"] == 1
    assert given["unexplained"] == 0
    assert {**given, "unexplained": 1} == without


def test_verdicts_are_written_in_order(tmp_path: Path) -> None:
    demo.write_verdicts([result("rho-1, GSM8K", 3, 3)], tmp_path / "out")
    lines = (tmp_path / "out" / "rho_1_gsm8k.jsonl").read_text().splitlines()
    assert len(lines) == 3


def test_no_folder_is_said_aloud(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(demo.real_sets(tmp_path / "none")) == []
    assert "Real outputs are left out" in capsys.readouterr().out
