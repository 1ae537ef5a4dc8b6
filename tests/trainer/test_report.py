"""The page of a run: what is reduced, and the page in a real browser."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.test_log import row, run_log
from tests.verifier.support import wait_for
from tests.verifier.test_view import Tab, browser  # noqa: F401 - a fixture
from trainer.config import GrpoConfig, load_recipe
from trainer.monitor import FLAGGED
from trainer.report import (
    HEAD_CHARS,
    POINTS,
    SAMPLED_STEPS,
    TAIL_CHARS,
    curve,
    load,
    pick,
    render,
    shorten,
)

ROOT = Path(__file__).parents[2]
PWN = "window.__pwned=1"
HOSTILE = (
    f"</script><script>{PWN}</script><img src=x onerror={PWN}><!--<script>"
    f"\" onmouseover='{PWN}' ]]> &lt;b&gt; ${{PWN}} $title \u202egnp.exe\u202c \x00 \x1b[31m \u2028 \U0001f600"
)
STEPS = 120


def parts(score: float) -> str:
    told = [{"name": "accuracy", "score": score, "weight": 1, "reason": "MATCH" if score else "NO_MATCH"},
            {"name": "format", "score": 1.0, "weight": 1, "reason": "WELL_FORMED"}]  # fmt: skip
    return json.dumps(told)


def metrics(step: int, gain: float) -> dict[str, float]:
    right = 0.3 + gain * step / STEPS
    found = {
        "reward/mean": right + 0.5, "reward/accuracy": right, "reward/part/accuracy": right,
        "reward/part/format": 1.0, "reward/zero_variance_groups": right / 2, "reward/failed_share": 0.0,
        "length/mean": 50 + step * gain, "length/max": 200.0, "length/clipped_share": 0.01,
        "text/self_check": 0.1 + gain * step / 300, "policy/entropy": 1 - gain * step / 200, "policy/kl": step / 1e5,
        "policy/clip_share": 0.004, "policy/ratio_max": 2.0 + step % 7, "policy/grad_norm": 0.5, "policy/loss": 0.01,
        "policy/lr": 3e-6, "mismatch/logprob_abs_median": 1e-7, "mismatch/logprob_abs_max": 1e-4, "mismatch/kl": 1e-9,
        "time/generate_s": 1.0, "time/verify_s": 0.2, "time/train_s": 0.7, "time/step_s": 2.0,
        "rate/completions_per_s": 100.0, "rate/tokens_per_s": 5000.0,
        "mine/first": 0.5, "mine/second": 0.25, "other/large": 12345.0,
    }  # fmt: skip
    if step % 20 == 0:
        found |= {"eval/pass@1": right, "eval/majority@16": min(1.0, right + 0.1)}
    return found


def make_run(directory: Path, gain: float = 0.6, steps: int = STEPS) -> Path:
    recipe = load_recipe(ROOT / "examples/recipes/tiny.toml", [f"run.dir={directory}", f"optimizer.lr={gain or 1}"], GrpoConfig)  # fmt: skip
    log = run_log(directory, total_steps=steps, config=recipe)
    for step in range(steps):
        log.step(step, metrics(step, gain))
        if step % 10 == 0:
            log.rollouts(step, [
                row(step, 0, reward=1.5, advantage=1.25, response=f"<think>{step}: right</think> <answer>2</answer>", parts_json=parts(1)),
                row(step, 1, reward=0.5, advantage=-0.75, response="wrong " * 2000, parts_json=parts(0)),
                row(step, 2, reward=None, advantage=None, status="TIMEOUT", reason="", response=HOSTILE, prompt=HOSTILE, prompt_id=HOSTILE),
            ])  # fmt: skip
    log.step(steps, {"eval/pass@1": metrics(steps, gain)["reward/accuracy"], "time/step_s": 0.5})
    log.close()
    return directory


# ---- what is reduced -------------------------------------------------------------


def test_best_worst_and_any() -> None:
    rows = [row(7, n, reward=n / 10 if n != 3 else None) for n in range(8)]
    found = pick(7, rows)
    assert found["best"]["sample"] == 7
    assert found["worst"]["sample"] == 0
    assert found["random"]["sample"] in {1, 2, 3, 4, 5, 6}
    assert pick(7, rows) == found
    assert {pick(n, rows)["random"]["sample"] for n in range(50)} == {1, 2, 3, 4, 5, 6}
    # Of equals, not always the same place; two of them where there are two.
    equal = [pick(n, [row(n, s) for s in range(4)]) for n in range(50)]
    assert {one["best"]["sample"] for one in equal} == {0, 1, 2, 3}
    assert all(len({one[k]["sample"] for k in ("best", "worst", "random")}) == 3 for one in equal)
    assert pick(0, []) == {"step": 0, "best": None, "worst": None, "random": None}
    failed = pick(0, [row(0, reward=None)])
    assert failed["best"] is failed["worst"] is None
    assert failed["random"]["reward"] is None


def test_texts_keep_beginning_and_end() -> None:
    text = "a" * HEAD_CHARS + "b" * 500 + "c" * TAIL_CHARS
    assert shorten(text) == "a" * HEAD_CHARS + "\n[... 500 characters left out ...]\n" + "c" * TAIL_CHARS  # fmt: skip
    whole = "a" * (HEAD_CHARS + TAIL_CHARS)
    assert shorten(whole) == whole
    assert shorten("x\u202ey\x00\n") == "x\\u202ey\\u0000\n"


def test_curves() -> None:
    rows: list[dict[str, float | None]] = [{"step": n, "a": float(n)} for n in range(5)]
    rows[2]["a"] = None
    del rows[3]["a"]
    assert curve(rows, "a") == {"x": [0, 1, 4], "y": [0, 1, 4]}
    assert curve(rows, "b") == {"x": [], "y": []}
    long = [{"step": n, "a": float(n % 2)} for n in range(3 * POINTS)]
    found = curve(long, "a")
    assert len(found["x"]) == POINTS
    assert found["x"][:2] == [1.0, 4.0]
    assert found["y"][:2] == [pytest.approx(1 / 3), pytest.approx(2 / 3)]


def test_steps_with_samples_are_spread(tmp_path: Path) -> None:
    log = run_log(tmp_path)
    for step in range(SAMPLED_STEPS + 50):
        log.rollouts(step, [row(step)])
    log.step(0, {})
    log.close()
    steps = [one["step"] for one in load(tmp_path).samples]
    assert len(steps) == SAMPLED_STEPS
    assert (steps[0], steps[-1]) == (0, SAMPLED_STEPS + 49)
    assert max(b - a for a, b in pairwise(steps)) == 2


# ---- the page in a browser --------------------------------------------------------


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("runs")
    return make_run(folder / "good"), make_run(folder / "control & <b>", gain=0.0)


@pytest.fixture
def tab(browser: Any, runs: tuple[Path, Path], tmp_path: Path) -> Iterator[Tab]:  # noqa: F811
    file = tmp_path / "page.html"
    file.write_text(render(load(runs[0])), "utf-8")
    one = Tab(browser, file)
    yield one
    one.quiet()


def plots(tab: Tab) -> dict[str, Any]:
    """Title -> what Plotly was given, once all plots have come into view."""
    tab.browser.set_script_timeout(60)
    return dict(
        tab.browser.execute_async_script(
            """const done = arguments[0], all = [...document.querySelectorAll('figure')];
            const look = (n) => {
              if (n < all.length) { all[n].scrollIntoView(); return setTimeout(look, 60, n + 1); }
              if (all.some((f) => !f.lastChild.data)) return setTimeout(look, 100, 0);
              done(Object.fromEntries(all.map((f) => [f.querySelector('h3').innerText, {
                data: f.lastChild.data.map(({x, y, mode, stackgroup, line, opacity}) => ({x, y, mode, stackgroup, dash: line.dash, opacity})),
                range: f.lastChild.layout.xaxis.range, type: f.lastChild.layout.yaxis.type,
                key: [...f.querySelectorAll('.key span')].map((s) => s.innerText),
              }])));
            };
            look(0);"""
        )
    )


def test_every_metric_has_its_plot(tab: Tab) -> None:
    tab.open()
    drawn = plots(tab)
    assert tab.texts("h2") == [
        "What it learns", "How it writes", "How the policy moves", "Do trainer and rollout agree",
        "Where time goes", "Other metrics", "What it writes",
    ]  # fmt: skip
    series = sum(len(one["key"]) or 1 for one in drawn.values())
    assert series == len(metrics(0, 0)) - 1  # time/step_s is the whole of others
    assert drawn["Held-out problems"]["key"] == ["pass@1", "majority@16"]
    assert drawn["Parts of the reward"]["key"] == ["accuracy", "format"]
    assert drawn["Time in a step"]["key"] == ["generate", "verify", "train"]
    assert all(one["stackgroup"] for one in drawn["Time in a step"]["data"])
    assert drawn["mine"]["key"] == ["first", "second"]
    assert drawn["Largest ratio"]["type"] == "log"
    raw, smoothed = drawn["Accuracy"]["data"]
    told = [metrics(step, 0.6)["reward/accuracy"] for step in range(STEPS)]
    assert raw["y"] == told
    assert smoothed["y"][60] == pytest.approx(sum(told[58:63]) / 5)
    assert smoothed["y"][0] == pytest.approx(sum(told[:3]) / 3)
    points = drawn["Held-out problems"]["data"][0]
    assert points["x"] == [0, 20, 40, 60, 80, 100, 120]
    assert points["mode"] == "lines+markers"


def test_reward_hacking_is_marked(
    browser: Any,  # noqa: F811
    runs: tuple[Path, Path],
    tmp_path: Path,
) -> None:
    good, other = load(runs[0]), load(runs[1])
    rows = [{**row, FLAGGED: float(row["step"] or 0) // 70} for row in good.metrics]
    file = tmp_path / "page.html"
    file.write_text(render(replace(good, metrics=rows), other), "utf-8")
    one = Tab(browser, file)
    one.open()
    assert "good: from step 70 on the preference reward rises" in one.text("#about")
    plots(one)
    script = "return [...document.querySelectorAll('figure')].map(f => f.lastChild.layout.shapes)"
    shapes = one.browser.execute_script(script)
    assert shapes
    assert all([shape["x0"] for shape in each] == [70] for each in shapes)
    one.quiet()


def test_figures_on_top(tab: Tab) -> None:
    tab.open()
    assert tab.text("h1") == "good"
    assert tab.text("#about") == "120 steps in 4 min"
    tiles = {tile.split("\n")[0]: tile.split("\n")[1:] for tile in tab.texts(".tile")}
    assert tiles["accuracy"] == ["88 %", "from 31 %"]  # means of the last and first six steps
    assert tiles["held out"] == ["90 %", "from 30 %"]
    assert tiles["mismatch"] == ["1.0e−7", "from 1.0e−7"]
    assert tiles["step"] == ["2 s", "from 2 s"]  # not the evaluation after the last one
    assert "last twentieth" in tab.text("#ends")
    assert "loss" not in tiles  # of fine-tuning


def test_smoothing_and_zoom(tab: Tab) -> None:
    tab.open()
    plots(tab)
    tab.js("(() => { const s = document.querySelector('#smooth'); s.value = 0; s.oninput?.(); s.dispatchEvent(new Event('input')); })()")  # fmt: skip
    drawn = plots(tab)
    assert len(drawn["Accuracy"]["data"]) == 1
    assert drawn["Accuracy"]["data"][0]["y"][5] == metrics(5, 0.6)["reward/accuracy"]
    # A real mouse: dragged over a part of the first plot, then clicked twice.
    from selenium.webdriver.common.action_chains import ActionChains

    tab.js("scrollTo(0, 0)")
    drag = tab.find("figure .nsewdrag")
    wide = drag.size["width"]
    mouse = ActionChains(tab.browser).move_to_element_with_offset(drag, -wide // 4, 0)
    mouse.click_and_hold().move_by_offset(wide // 2, 2).release().perform()
    part = pytest.approx(STEPS / 4, abs=3), pytest.approx(STEPS * 3 / 4, abs=3)

    def ranges() -> set[tuple[float, ...]]:
        return {tuple(one["range"]) for one in plots(tab).values()}

    wait_for(lambda: all(one == part for one in ranges()), 60)
    assert len(ranges()) == 1
    tab.js("scrollTo(0, 0)")
    ActionChains(tab.browser).double_click(tab.find("figure .nsewdrag")).perform()

    def is_whole() -> bool:
        return all(low < 0 and high > STEPS - 1 for low, high in ranges())

    wait_for(is_whole, 60)
    assert len(ranges()) == 1


def test_samples_over_time(tab: Tab) -> None:
    tab.open()
    assert tab.text("#step") == "step 110"
    best, worst, anyone = tab.texts("#cards article")
    assert "reward 1.5" in best
    assert "advantage +1.25" in best
    assert "110: right" in best
    assert "1 MATCH" in best
    assert "reward 0.5" in worst
    assert "characters left out" in worst
    assert "reward none" in anyone
    assert "TIMEOUT" in anyone
    tab.keys("\ue012")  # left
    assert tab.text("#step") == "step 100"
    tab.find("#forth").click()
    assert tab.text("#step") == "step 110"
    tab.js("(() => { const s = document.querySelector('#at'); s.value = 0; s.dispatchEvent(new Event('input')); })()")  # fmt: skip
    assert tab.text("#step") == "step 0"
    assert "0: right" in tab.texts("#cards article")[0]
    assert tab.texts("#cards .tag")[:2] == ["<think>", "</think>"]


def test_hostile_texts_stay_texts(tab: Tab) -> None:
    for scheme in ("light", "dark"):
        tab.look(1280, scheme)
        tab.open()
        tab.js("document.querySelectorAll('article details').forEach((d) => { d.open = true; })")
        text = tab.texts("#cards article")[2]
        assert text.count(f"</script><script>{PWN}</script><img src=x onerror={PWN}>") == 3
        assert "\\u202egnp.exe" in text
        assert "\\u0000" in text
        assert "\\u001b[31m" in text
        assert "$title" in text
        assert "😀" in text
        assert not set("\u202e\u202c\u2028\x00\x1b") & set(tab.js("document.body.innerText"))
        assert tab.js("document.querySelectorAll('img, b:not(.tile b), #cards script').length") == 0


def test_beside_another_run(browser: Any, runs: tuple[Path, Path], tmp_path: Path) -> None:  # noqa: F811
    file = tmp_path / "page.html"
    file.write_text(render(load(runs[0]), load(runs[1])), "utf-8")
    tab = Tab(browser, file).open()
    assert tab.text("#legend").splitlines() == ["good", "control & <b>"] or tab.text("#legend") == "good control & <b>"  # fmt: skip
    accuracy = [tile for tile in tab.texts(".tile") if tile.startswith("accuracy")]
    assert accuracy == ["accuracy\n88 %\nfrom 31 %\ncontrol & <b>: 30 %"]
    drawn = plots(tab)
    assert [line["dash"] for line in drawn["Held-out problems"]["data"]] == ["solid", "dash"] * 2
    assert drawn["Held-out problems"]["key"] == ["pass@1", "majority@16"]
    assert not any(one["stackgroup"] for one in drawn["Time in a step"]["data"])
    assert tab.texts("#recipe tr")[0].split("\t")[-2:] == ["good", "control & <b>"]
    assert [line.split("\t")[0] for line in tab.texts("#recipe tr")[1:]] == ["optimizer.lr", "run.dir"]  # fmt: skip
    tab.find("#differs").click()
    assert len(tab.texts("#recipe tr")) > 40
    tab.js("(() => { const s = document.querySelector('#run'); s.value = 1; s.dispatchEvent(new Event('change')); })()")  # fmt: skip
    assert "110: right" in tab.texts("#cards article")[0]
    tab.quiet()


def test_a_run_that_has_hardly_begun(browser: Any, tmp_path: Path) -> None:  # noqa: F811
    log = run_log(tmp_path / "run")
    log.close()
    file = tmp_path / "page.html"
    file.write_text(render(load(tmp_path / "run")), "utf-8")
    tab = Tab(browser, file).open()
    assert tab.text("#about") == "0 steps in 0 s"
    assert tab.js("document.querySelector('#samples').hidden")
    tab.quiet()
    log = run_log(tmp_path / "run")
    log.step(0, {"train/loss": 2.5, "policy/lr": 1e-5, "time/step_s": 61.0})
    log.close()
    file.write_text(render(load(tmp_path / "run")), "utf-8")
    tab.open()
    assert tab.text("#about") == "1 step in 1 min 1 s"
    assert set(plots(tab)) == {"Loss", "Learning rate"}
    tab.quiet()


COLOURS = {"light": ((255, 255, 255), (37, 99, 201)), "dark": ((20, 23, 27), (110, 161, 245))}


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (600, "dark")])
def test_what_it_looks_like(tab: Tab, width: int, scheme: str) -> None:
    image = pytest.importorskip("PIL.Image")
    tab.look(width, scheme)
    tab.open()
    plots(tab)
    tab.js("document.querySelector('figure').scrollIntoView({block: 'center'})")
    time.sleep(0.5)
    shot = image.open(io.BytesIO(tab.browser.get_screenshot_as_png())).convert("RGB")
    colours = {colour: n for n, colour in shot.getcolors(1 << 20)}
    back, line = COLOURS[scheme]
    assert colours.get(back, 0) > 0.4 * width * 850
    assert colours.get(line, 0) > 100
    assert tab.js("document.documentElement.scrollWidth") <= width
    columns = tab.js("new Set([...document.querySelectorAll('.grid')[0].children].map((f) => f.getBoundingClientRect().x)).size")  # fmt: skip
    assert columns == {1280: 3, 600: 1}[width]
