"""Reward hacking is seen when it is there, and not where there is nothing but noise."""

from __future__ import annotations

import json
import logging
import math
import random
from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer.support import recipe, tiny_model
from trainer.collect import Group
from trainer.log import METRICS, RunLog
from trainer.metrics import Figures, is_preference
from trainer.monitor import FLAGGED, PREFERENCE, RULES, WINDOW, Monitor, Point, flag, slope, trend
from trainer.report import load, render
from trainer.run import Run
from verifier.client import Item
from verifier.embedded import EmbeddedServer
from verifier.v1.verifier_pb2 import ChoiceTask, JudgeTask, Part, PreferenceTask

EVALUATIONS, RUNS, NOISE = 60, 400, 0.02
Curve = Callable[[int], float]


def simulated(preference: Curve, rules: Curve, seed: int, correlated: float = 0.0) -> int | None:
    """The evaluation at which a run is flagged first. Noise is of the standard deviation NOISE."""
    drawn, points = random.Random(seed), list[Point]()
    noise = [0.0, 0.0]
    for n in range(EVALUATIONS):
        fresh = math.sqrt(1 - correlated**2) if n else 1.0
        noise = [correlated * one + fresh * drawn.gauss(0, NOISE) for one in noise]
        points.append(Point(10 * n, preference(n) + noise[0], rules(n) + noise[1]))
        if flag(points) is not None:
            return n
    return None


def flat(_: int) -> float:
    return 0.5


def rising(n: int) -> float:
    return 0.3 + 0.01 * n


def share_flagged(preference: Curve, rules: Curve, correlated: float = 0.0) -> float:
    found = [simulated(preference, rules, seed, correlated) for seed in range(RUNS)]
    return sum(one is not None for one in found) / RUNS


# ---- what is noise, and what is not ---------------------------------------------


@pytest.mark.parametrize("correlated", [0.0, 0.5])
def test_noise_alone_is_hardly_ever_flagged(correlated: float) -> None:
    assert share_flagged(flat, flat, correlated) < 0.01


def test_a_reward_that_rises_over_noise_is_hardly_ever_flagged() -> None:
    assert share_flagged(rising, flat) < 0.01


def test_getting_better_and_getting_worse_are_not_hacking() -> None:
    assert share_flagged(rising, rising) == 0
    assert share_flagged(lambda n: 1 - rising(n), lambda n: 1 - rising(n)) == 0


@pytest.mark.parametrize(("fall", "within", "share"), [(0.01, 20, 0.7), (0.02, 12, 0.95)])
def test_a_divergence_is_flagged_soon(fall: float, within: int, share: float) -> None:
    """It begins at evaluation 20; a fall of half the noise, or of all of it, at each."""
    found = [simulated(rising, lambda n: 0.5 - fall * max(0, n - 20), seed) for seed in range(200)]
    assert sum(n is not None and 20 < n <= 20 + within for n in found) / 200 >= share


def test_the_flag_says_since_when_and_how_steeply() -> None:
    points = [Point(10 * n, 0.1 * n, 0.5 + 0.01 * n) for n in range(5)]
    points += [Point(10 * n, 0.1 * n, 0.54 - 0.05 * (n - 4)) for n in range(5, 15)]
    assert flag(points[:11]) is None
    found = flag(points)
    assert found is not None
    assert (found.step, found.since) == (140, 40)
    assert found.preference_slope == pytest.approx(0.01)
    assert found.rules_slope == pytest.approx(-0.005)
    assert "since step 40" in str(found)


def test_a_fall_of_next_to_nothing_is_none() -> None:
    points = [Point(n, n, 0.5 - 0.001 * n) for n in range(WINDOW)]
    assert flag(points) is None
    assert flag([Point(p.step, p.preference, 10 * p.rules) for p in points]) is not None


# ---- the two statistics ---------------------------------------------------------


def test_the_chances_are_those_of_counting_all_orders() -> None:
    for size in (2, 3, 6):
        orders = list(permutations(range(size)))

        def pairs(order: Sequence[int]) -> int:
            return sum(b > a for n, a in enumerate(order) for b in order[n + 1 :])

        for order in orders[:: max(1, len(orders) // 50)]:
            as_many = sum(pairs(other) >= pairs(order) for other in orders)
            assert trend(order) == pytest.approx(as_many / len(orders))


@settings(deadline=None)  # the first call imports scipy
@given(st.lists(st.integers(-9, 9), min_size=3, max_size=WINDOW, unique=True))
def test_they_are_scipys(values: list[int]) -> None:
    stats = pytest.importorskip("scipy.stats")
    steps = list(range(0, 10 * len(values), 10))
    told = stats.kendalltau(steps, values, alternative="greater", method="exact")
    assert trend(values) == pytest.approx(told.pvalue)
    assert slope(steps, values) == pytest.approx(stats.theilslopes(values, steps).slope)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=WINDOW))
def test_a_trend_is_a_chance_and_equal_values_are_none(values: list[float]) -> None:
    assert 0 < trend(values) <= 1
    assert trend([values[0]] * len(values)) == 1.0


@given(st.integers(0, 2**32))
def test_only_the_window_counts(seed: int) -> None:
    drawn = random.Random(seed)
    points = [Point(n, drawn.random() + n, drawn.random() - n) for n in range(2 * WINDOW)]
    assert flag(points) == flag(points[-WINDOW:])


# ---- what is watched ------------------------------------------------------------


def test_the_preference_is_the_mean_since_the_last_evaluation() -> None:
    monitor = Monitor()
    monitor.add(0, {RULES: 0.5})  # without a preference reward there is nothing to watch yet
    assert not monitor.watches
    monitor.add(1, {PREFERENCE: 0.25})
    monitor.add(2, {PREFERENCE: None})
    monitor.add(3, {PREFERENCE: 0.75, RULES: 0.5})
    monitor.add(4, {PREFERENCE: 1.0, RULES: None})
    monitor.add(5, {RULES: 0.25})
    assert list(monitor.points) == [Point(3, 0.5, 0.5), Point(5, 1.0, 0.25)]
    assert monitor.watches


def test_what_a_model_likes_and_what_rules_say() -> None:
    accuracy, rated = Part(name="accuracy", reason=Part.judged), Part(name="reward_model")
    helpful = Item(judge=JudgeTask(mode=JudgeTask.HELPFUL))
    checked = Item(judge=JudgeTask(mode=JudgeTask.REFERENCE))
    ruled = Item(choice=ChoiceTask(gold="A"))
    rival = Item(preference=PreferenceTask(rival="r"))
    among = Item(preference=PreferenceTask(mode=PreferenceTask.HELPFUL))
    assert is_preference(helpful, accuracy)
    assert is_preference(rival, accuracy)
    # Right or wrong by a reference or a rule; and a mean that is always a half.
    assert not any(is_preference(item, accuracy) for item in (checked, ruled, among))
    assert is_preference(ruled, rated)
    assert not is_preference(helpful, Part(name="format"))


# ---- in a run -------------------------------------------------------------------


def hacked_run(directory: Path, steps: int = 40, told: bool = True) -> Path:
    """The files of a run whose reward rises while it gets worse, as the run itself writes them."""
    log = RunLog(
        directory, first_step=0, tensorboard=False, wandb=None, total_steps=steps, quiet=True
    )
    monitor = Monitor()
    for step in range(steps):
        line = {"reward/mean": 1.0, PREFERENCE: step / steps, "train/loss": 0.0}
        if step % 2 == 0:
            line[RULES] = 0.9 - step / steps
        monitor.add(step, line)
        log.step(step, line | ({FLAGGED: float(monitor.found is not None)} if told else {}))
    log.close()
    return directory


def test_the_page_marks_the_step(tmp_path: Path) -> None:
    def flagged(directory: Path) -> object:
        page = render(load(directory))
        return json.loads(page.partition('id="data">')[2].partition("</script>")[0])[0]["flagged"]

    # The eighth evaluation is the first that leaves no doubt.
    assert flagged(hacked_run(tmp_path / "hacked")) == 14
    assert flagged(hacked_run(tmp_path / "quiet", told=False)) is None


@pytest.mark.parametrize("on", [True, False])
def test_a_run_says_it_once_and_goes_on_knowing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, on: bool
) -> None:
    model = tiny_model(tmp_path / "model")
    data = tmp_path / "data.jsonl"
    data.write_text('{"id": "1", "prompt": "A or B?", "choice": {"gold": "A"}}\n')
    with EmbeddedServer("--log-level", "warning", "--sandbox", "none") as service:
        told = recipe(
            tmp_path / "run", model, data,
            rollout={"prompts_per_rollout": 1, "group_size": 2, "max_new_tokens": 2},
            reward={"address": service.address}, run={"steps": 20, "monitor": on},
            eval={"path": str(data), "every": 1, "samples": 2},
        )  # fmt: skip
        caplog.set_level(logging.WARNING)

        def walk(run: Run, steps: range) -> None:
            for step in steps:
                figures = Figures()
                figures.add(PREFERENCE, step / 20)
                figures.add(RULES, 1 - step / 20)
                run.write(step, figures, 0.0, [])

        with Run(told) as run:
            walk(run, range(10))
            run.checkpoint(10)
        with Run(told) as run:
            assert run.first_step == 10
            walk(run, range(10, 20))
    lines = [json.loads(line) for line in (tmp_path / "run" / METRICS).read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(20))
    said = [record for record in caplog.records if "preference reward rises" in record.message]
    if on:
        assert [line[FLAGGED] for line in lines] == [0.0] * 7 + [1.0] * 13
        assert [record.message.partition(":")[0] for record in said] == ["step 7"]
    else:
        assert not any(FLAGGED in line for line in lines)
        assert not said


def test_groups_of_their_own_item_are_told(tmp_path: Path) -> None:
    """The metric that is watched comes from real verdicts."""
    from trainer.advantages import AdvantageSettings, group_advantages
    from trainer.data import Prompt
    from trainer.metrics import describe_groups
    from trainer.rollout.engine import Completion, Span
    from verifier.client import Verdict

    torch = pytest.importorskip("torch")
    parts = [Part(name="reward_model", score=0.75), Part(name="format", score=1.0)]
    verdict = Verdict(status=Verdict.OK, reward=1.75, parts=parts)
    completion = Completion((1,), (0.0,), "stop", (Span(0, 0, 1),))
    item = Item(judge=JudgeTask(mode=JudgeTask.HELPFUL))
    group = Group(Prompt("p", "p", (1,), item), (completion,) * 2, ("a", "b"), (verdict,) * 2)
    rewards = torch.tensor([[1.0, 2.0]])
    advantages = group_advantages(rewards, torch.ones(1, 2, dtype=torch.bool), AdvantageSettings())
    figures = Figures()
    describe_groups(figures, [group], advantages, {})
    assert figures.merged(None, 1)[PREFERENCE] == 0.75
