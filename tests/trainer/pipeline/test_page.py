"""The page of a pipeline: what it draws, in whatever state the directory is, and in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.pipeline.support import config, files, text, three, write
from tests.trainer.pipeline.test_figures import one_row, paper
from tests.verifier.test_view import Tab, browser  # noqa: F401 - a fixture
from trainer.pipeline import figures
from trainer.pipeline.config import PipelineConfig
from trainer.pipeline.manifest import Manifest, write_json, write_manifest, write_started
from trainer.pipeline.page import COLUMN, EXAMPLE_CHARS, EXAMPLES, ROWS, draw, duration, render
from trainer.pipeline.run import make_up, survey

PWN = "window.__pwned=1"
HOSTILE = f"</script><script>{PWN}</script><img src=x onerror={PWN}>{{{{ 7*7 }}}} {{% x %}} \" ' \u202egnp \x00 \u2028 😀"
STEPS = 40


def metrics(run: Path) -> None:
    run.mkdir(parents=True)
    rows = [
        {
            "step": step, "reward/mean": 0.5, "reward/part/accuracy": step / STEPS, "reward/part/format": 1.0,
            "length/mean": 10.0 + step, "text/reflection": step / 80, "policy/entropy": 1.0,
        } | ({"eval/pass@1": step / STEPS, "eval/majority@16": 0.5} if step % 10 == 0 else {})
        for step in range(STEPS)
    ]  # fmt: skip
    (run / "metrics.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in rows) + '{"step": 40, "rew'
    )


def complete(read: PipelineConfig, name: str, **counted: Any) -> None:
    made = make_up(read, name)
    assert made is not None
    stage, directory = read.stages[name], read.pipeline.dir / name
    outputs = dict.fromkeys((stage.output, *stage.more_outputs), "ab" * 32)
    write_started(directory, made)
    write_manifest(directory, Manifest(made, outputs, counted))
    write_json(directory / "timing.json", {"seconds": 75.0})


@pytest.fixture
def read(tmp_path: Path) -> PipelineConfig:
    """GRPO is complete, fine-tuning was begun (as a stage that makes data would be), the table's
    inputs are missing."""
    held = files(tmp_path / "given")
    recipe = write(
        tmp_path / "r.toml", text(held, tmp_path / "a <b> c", three(held), "127.0.0.1:1")
    )
    found = config(recipe)
    complete(found, "zero", last={"reward/mean": 0.5})
    metrics(found.pipeline.dir / "zero/run")
    made = make_up(found, "dev1")
    assert made is not None
    own = found.pipeline.dir / "dev1"
    write_started(own, made)
    rejected = [
        {"reason": r, "detail": HOSTILE, "response": HOSTILE * 50, "n": n}
        for r in ("wrong", HOSTILE)
        for n in range(9)
    ]
    (own / "rejected.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rejected))
    write_json(own / "counts.json", {"sampled": 12345, "rejected": {"wrong": 9, HOSTILE: 9}})
    return found


def page(read: PipelineConfig) -> str:
    return render(read.pipeline.dir, survey(read))


def test_the_drawing(read: PipelineConfig) -> None:
    drawn = draw(survey(read))
    boxes = {box.name: box for box in drawn.boxes}
    assert {name: box.state for name, box in boxes.items()} == {
        "zero": "complete", "dev1": "begun", "table": "waiting",
    }  # fmt: skip
    assert (boxes["zero"].note, boxes["zero"].given) == ("grpo · 1 min 15 s", "base")
    assert (boxes["table"].note, boxes["table"].given) == ("table", "")
    assert [boxes[name].x // COLUMN for name in ("zero", "dev1", "table")] == [0, 0, 1]
    assert len({(box.x, box.y) for box in boxes.values()}) == 3
    assert [arrow.aside for arrow in drawn.arrows] == [True, True]
    assert all(box.x < drawn.width and box.y < drawn.height for box in boxes.values())
    assert [duration(s) for s in (0.25, 59.6, 60, 3599, 90061)] == [
        "0.25 s",
        "1 min",
        "1 min",
        "59 min 59 s",
        "25 h 1 min",
    ]


def test_hostile_texts_are_escaped_and_cut(read: PipelineConfig) -> None:
    told = page(read)
    assert PWN in told
    assert f"<script>{PWN}" not in told
    assert "<img" not in told
    assert "{{ 7*7 }}{% x %}" in told.replace("}} {%", "}}{%")
    assert f"{len(HOSTILE * 50) - EXAMPLE_CHARS:,} characters more" in told
    assert told.count("<article>") == 6 <= EXAMPLES  # three of each reason
    assert "a &lt;b&gt; c" in told


def test_directories_in_any_state(read: PipelineConfig) -> None:
    out = read.pipeline.dir
    fresh = config(out.parent / "r.toml", f"pipeline.dir={out.parent}/nothing")
    assert "0 of 3 stages complete" in page(fresh)
    assert "plotly" not in page(fresh)  # no curves: a page of kilobytes
    assert len(page(fresh)) < 40_000
    (out / "dev1/counts.json").write_text('{"sampled": ')
    (out / "dev1/rejected.jsonl").write_text('{"reason": "wrong"}\n[1]\n{"reason": "to')
    (out / "zero/run/metrics.jsonl").write_text("x\n")
    (out / "zero/timing.json").write_text("{")
    told = page(read)
    assert "counts.json: Expecting value" in told
    assert "rejected.jsonl: " in told
    assert told.count("<article>") == 1
    assert "metrics.jsonl, line 1: " in told
    complete(read, "dev1")
    complete(read, "table", rows=[{"name": 3}])
    assert "no table: " in page(read)
    many = [replace(one, why="x\n" * 5000) for one in survey(read)]
    assert render(out, many).count("x\n") < 4 * ROWS


@pytest.fixture
def tab(browser: Any, read: PipelineConfig, tmp_path: Path) -> Iterator[Tab]:  # noqa: F811
    file = tmp_path / "page.html"
    complete(read, "dev1")
    complete(read, "table", **figures.as_json(paper(Dev3=one_row("Dev3", 0.7))))
    changed = config(
        tmp_path / "r.toml", "stages.dev1.set.run.seed=4", "stages.table.sampling.samples=3"
    )
    file.write_text(page(changed), "utf-8")
    one = Tab(browser, file)
    yield one
    one.quiet()


def test_in_a_browser(tab: Tab) -> None:
    tab.open()
    assert tab.text("h1") == "a <b> c"
    assert tab.text("header .note") == "1 of 3 stages complete, in 3 min 45 s"
    assert tab.texts("section h2 .note")[0] == "grpo · 1 min 15 s"
    assert [one.split()[0] for one in tab.texts(".state")] == ["complete", "changed", "changed"]
    assert tab.text("#stage-dev1 .why") == "config.set.run.seed: 'nothing', now 4"
    assert len(tab.js("[...document.querySelectorAll('svg .arrow')]")) == 2
    tab.js(
        "document.querySelector('svg a').dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    assert tab.js("location.hash") == "#stage-zero"
    # The curves.
    tab.browser.set_script_timeout(30)
    drawn = tab.browser.execute_async_script(
        """const done = arguments[0], look = () => {
          const places = [...document.querySelectorAll('.plot')];
          places.forEach((p) => p.scrollIntoView());
          if (places.some((p) => !p.data)) return setTimeout(look, 100);
          done(Object.fromEntries(places.map((p) => [p.closest('figure').querySelector('h3').innerText,
            p.data.map((t) => [t.name, t.y.length])])));
        }; look();"""
    )
    assert drawn == {
        "Held-out problems": [["majority@16", 4], ["pass@1", 4]],
        "Parts of the reward": [["accuracy", 40], ["format", 40]],
        "Length, tokens": [["mean", 40]],
        "Words": [["reflection", 40]],
    }
    # The table, and what the paper says.
    assert tab.texts(".figures tr")[1].split("\t")[:2] == ["Zero", "77.9 ± 1.0"]
    verdicts = [line.split("\t")[1] for line in tab.texts(".statements tr")]
    assert verdicts == ["came out"] * 3 + ["did not"] * 2 + ["came out"] * 2
    # What models wrote.
    tab.js("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    said = tab.texts("article dd")
    assert any(
        f"<script>{PWN}</script><img src=x onerror={PWN}>{{{{ 7*7 }}}}" in one for one in said
    )
    assert not set("\u202e\u2028\x00") & set(tab.js("document.body.innerText"))
    assert tab.js("window.__pwned") is None
    assert tab.js("document.querySelectorAll('article img, article script').length") == 0
    for width, scheme in ((1280, "light"), (600, "dark")):
        tab.look(width, scheme)
        assert tab.js("document.documentElement.scrollWidth") <= width
