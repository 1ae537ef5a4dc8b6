"""The page of a run: what is stored, and the page in a real browser."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plotly.offline import get_plotlyjs

from evals.benchmark import Message, Protocol, Question, user
from evals.generate import params_hash
from evals.records import Generation, RecordError, Score, digest, prompt_hash
from evals.report import LEAST_CHARS, SHARE, Text, load, pack, render, write
from evals.run import write_questions
from evals.statistics import Estimate
from evals.summary import Headline, Shares, Slice, Summary, Tokens
from tests.verifier.test_view import Page, Tab, browser  # noqa: F401 - a fixture

PWN = "window.__pwned=1"
HOSTILE = (
    f"</script><script>{PWN}</script><img src=x onerror={PWN}><!--<script>"
    f"\" onmouseover='{PWN}' ]]> &lt;b&gt; ${{PWN}} $title \u202egnp.exe\u202c \x00 \x1b[31m \u2028 \ud800 \U0001f600"
)
ID = HOSTILE.replace("\ud800", "")  # files of questions are strict UTF-8
VOCABULARY = [
    "".join(random.Random(n).choices("etaoinshrdlucmfw", k=2 + n % 9)) for n in range(3000)
]


# ---- synthetic runs ----------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """A benchmark of a synthetic run."""

    name: str
    questions: int = 12
    k: int = 4
    right: float = 0.5
    """Chance of a right answer of the question in the middle."""
    chars: int = 300
    """Of a response."""
    headline: str = "pass@1"
    value: float = 0.5
    """What the summary says, whatever the samples are."""


@cache
def pool() -> str:
    """Two million characters of words, as often as words are."""
    weights = [1 / (n + 3) for n in range(len(VOCABULARY))]
    return " ".join(random.Random(0).choices(VOCABULARY, weights, k=300_000))


def prose(draw: random.Random, chars: int) -> str:
    """Seldom twice the same, so that it is as hard to compress as text is."""
    start = draw.randrange(len(pool()) - chars)
    return pool()[start : start + chars]


def response(draw: random.Random, question: int, made: Made) -> tuple[Generation, Score | None]:
    """A sample without its place: right, wrong, cut off, without an answer, an error ..."""
    blank = Generation(made.name, "", 0, "", "", response="", finish="stop", seconds=2.5)
    chance = draw.random()
    if chance < 0.02:
        return replace(blank, finish="error", error="429 Too Many Requests"), None
    chars = int(made.chars * draw.uniform(0.5, 1.5))
    text = prose(draw, chars)
    ratio = draw.betavariate(2 + 4 * made.right, 2) * question / max(1, made.questions - 1)
    right = draw.random() < min(1.0, 2 * made.right * ratio + 0.2 * made.right)
    answer = str(100 + question if right else draw.randrange(100))
    graded = Score(made.name, "", 0, "", "", "touchstone 1", "", "ok", float(right), answer,
                   {"status": "OK", "parts": [{"name": "accuracy", "score": float(right), "reason": "match" if right else "no_match"}],
                    "evidence": {"math": {"tier": "string", "gold": str(100 + question)}}})  # fmt: skip
    body = replace(blank, response=f"So \\boxed{{{answer}}}.", reasoning=text, completion_tokens=chars // 4, prompt_tokens=50)  # fmt: skip
    if chance < 0.06:
        cut = replace(
            body, response=text, reasoning="", finish="length", completion_tokens=made.chars
        )
        return cut, replace(graded, status="no_answer", score=0.0, extracted="")
    if chance < 0.08:
        return body, replace(graded, status="grader_error", score=None, extracted="")
    return body, graded


def line(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def summary(made: Made, **rest: Any) -> Summary:
    """Figures that no sample has."""
    value = made.value
    figure = Estimate(value, 0.048, value - 0.1, value + 0.09)
    if made.headline == "rating":
        figure = Estimate(2029.0, 31.0, 1968.0, 2090.0)
    told = Summary(
        benchmark=made.name, title=f"{made.name.upper()} <b>", source="nobody & co", model="tiny",
        protocol={"name": "r1", "k": made.k}, questions=made.questions, k=made.k,
        headline=Headline(**asdict(figure), name=made.headline),
        metrics={made.headline: figure, "strict": Estimate(0.123)},
        pass_at_k={k: min(1.0, value + 0.05 * n) for n, k in enumerate([1, 2, 4, 8, 16]) if k <= made.k},
        cons_at_k={k: min(1.0, value + 0.02 * n) for n, k in enumerate([1, 4, 16]) if k <= made.k},
        ties=3, undecided=1, bounds=(value - 0.02, value + 0.03),
        shares=Shares(truncated=0.04, api_error=0.02, no_answer=0.05, grader_error=0.0, missing=0.0001),
        slices={"difficulty": {"easy": Slice(0.9, 0.02, 5), "hard <i>": Slice(0.1, None, 7)}},
        tokens=Tokens(1200, 56789), cost=0.25, seconds=3725.0, notes=("a note <u>",),
    )  # fmt: skip
    return replace(told, **rest)


def make_run(directory: Path, *benchmarks: Made, seed: int = 0, model: str = "tiny") -> Path:
    """An output directory of `touchstone-eval run`: the same seed, the same bytes."""
    directory.mkdir(parents=True)
    told: dict[str, Any] = {}
    for made in benchmarks:
        draw = random.Random(f"{seed} {made.name}")
        folder = directory / made.name
        protocol = Protocol("r1", 0.6, 0.95, made.chars, made.k)
        params = params_hash(model, protocol, seed)
        told[made.name] = {"protocol": asdict(protocol), "params_hash": params, "data": {"x": "00"}}
        questions, generations, scores = [], [], []
        for n in range(made.questions):
            asked = f"Question {n}: what is 100 + {n}?\n" + prose(random.Random(n), 120)
            level = {"difficulty": "easy" if n % 2 else "hard"}
            question = Question(f"{made.name}-{n}", user(asked), gold=str(100 + n), slices=level)
            questions.append(question)
            hashed = prompt_hash(question.messages)
            for sample in range(made.k):
                place = {"question": question.id, "sample": sample, "prompt_hash": hashed, "params_hash": params}  # fmt: skip
                generation, score = response(draw, n, made)
                generations.append(line(asdict(replace(generation, **place))))
                if score is not None:
                    text = digest(generation.text)
                    scores.append(line(asdict(replace(score, **place, response_hash=text))))
        write_questions(folder / "questions.jsonl", questions)
        (folder / "generations.jsonl").write_bytes(b"".join(generations))
        (folder / "scores.jsonl").write_bytes(b"".join(scores))
        (folder / "summary.json").write_text(summary(made).json())
    manifest = {"model": model, "seed": seed, "versions": {"touchstone": "1"}, "benchmarks": told}
    (directory / "run.json").write_text(json.dumps(manifest))
    return directory


def change(file: Path, alter: Any, lines: Sequence[int] | None = None) -> None:
    """Rewrites rows of a JSON Lines file."""
    rows = [json.loads(row.decode("utf-8", "surrogatepass")) for row in file.read_bytes().splitlines()]  # fmt: skip
    for n, row in enumerate(rows):
        if lines is None or n in lines:
            alter(row)
    file.write_bytes(b"".join(map(line, rows)))


def regrade(folder: Path) -> None:
    """Scores for the texts as they are now."""
    texts = {}
    for row in (folder / "generations.jsonl").read_bytes().splitlines():
        made = Generation(**json.loads(row.decode("utf-8", "surrogatepass")))
        texts[made.question, made.sample] = digest(made.text)
    change(folder / "scores.jsonl", lambda row: row.update(response_hash=texts[row["question"], row["sample"]]))  # fmt: skip


# ---- what is stored ----------------------------------------------------------------


def unpack(page: Page, name: str) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(page.blocks[name])))


def test_texts_keep_their_ends() -> None:
    text = "a" * 40 + "b" * 500 + "c" * 60
    cut = Text.of(text, 100)
    assert cut.json(100) == ["a" * 40, 500, "c" * 60]
    assert Text.of(text, 600).json(600) == text
    # Twice is once.
    assert cut.cut(50).json(50) == Text.of(text, 50).json(50) == ["a" * 20, 550, "c" * 30]
    assert Text.of("", 100).json(100) == ""


@settings(deadline=None)  # neighbours share the cores
@given(st.text(st.characters(codec=None)))
def test_any_text_survives(text: str) -> None:
    packed = json.loads(zlib.decompress(base64.b64decode(pack([text]))))
    assert packed == [text]


def test_page_adds_no_elements_and_admits_our_scripts_alone(tmp_path: Path) -> None:
    page = Page(render(load(make_run(tmp_path / "run", Made("aime")))))
    assert page.tags.count("script") == 5  # data, plotly, an index, texts, and the page's own
    for script in (page.texts["script"], get_plotlyjs()):
        digest_ = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest_}'" in page.policy
    assert page.policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in page.policy


def test_blocks_hold_every_sample(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Made("aime"))
    page = Page(render(load(run)))
    index = unpack(page, "index-0")
    assert [row[0] for row in index["questions"]] == [f"aime-{n}" for n in range(12)]
    stored = [
        sample["text"]
        for chunk, at, _ in index["runs"][0]
        for sample in unpack(page, f"texts-{chunk}")[at]["samples"]
    ]
    rows = (run / "aime/generations.jsonl").read_text().splitlines()
    assert stored == [Generation(**json.loads(row)).text for row in rows]
    columns = index["runs"][0][5][2]
    assert columns["number"] == [0, 1, 2, 3]
    assert len(columns["state"]) == len(columns["cut"]) == len(columns["score"]) == 4
    assert json.loads(page.blocks["data"])["limit"] == 0


def test_only_what_belongs_to_the_run(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Made("aime"))
    folder = run / "aime"
    change(folder / "generations.jsonl", lambda row: row.update(params_hash="other"), [0])
    change(folder / "generations.jsonl", lambda row: row.update(prompt_hash="other"), [1])
    change(folder / "generations.jsonl", lambda row: row.update(sample=4), [2])
    change(folder / "generations.jsonl", lambda row: row.update(question="gone"), [3])
    change(folder / "generations.jsonl", lambda row: row.update(response="another"), [4])
    with (folder / "generations.jsonl").open("ab") as file:
        file.write(b'{"benchmark": "aime", "question')  # as a kill leaves it
    found = load(run).benchmarks["aime"]
    assert found.state == {"expected": 48, "generated": 44, "unscored": 1, "others": 4}
    assert found.samples["aime-0"] == []
    assert found.samples["aime-1"][0].state == "u"
    assert found.samples["aime-1"][0].score is None


def test_the_last_answer_counts(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Made("aime", questions=1, k=1))
    file = run / "aime/generations.jsonl"
    row = json.loads(file.read_bytes())
    file.write_bytes(line(row | {"finish": "error", "error": "stalled"}) + line(row))
    (sample,) = load(run).benchmarks["aime"].samples["aime-0"]
    assert sample.state == "o"
    file.write_bytes(line(row) + line(row | {"finish": "error", "error": "stalled"}))
    (sample,) = load(run).benchmarks["aime"].samples["aime-0"]
    assert (sample.state, sample.score) == ("e", None)  # the old answer's score is not this one's


def test_errors_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"run\.json: No such file"):
        load(tmp_path)
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(RecordError, match="no run's manifest: TypeError"):
        load(tmp_path)
    (tmp_path / "run.json").write_text('{"benchmarks": {"a": {"protocol": {"k": 1}}}}')
    with pytest.raises(RecordError, match=r"run\.json: no run's manifest: KeyError\('params_hash'"):
        load(tmp_path)
    run = make_run(tmp_path / "run", Made("aime"))
    (run / "aime/questions.jsonl").write_text('{"id": "a"}\n')
    with pytest.raises(RecordError, match=r"questions\.jsonl: no file of questions"):
        load(run)
    with pytest.raises(RecordError, match=r"--output: .* which is only read"):
        write(run, run / "page.html")


def snapshot(directory: Path) -> dict[str, tuple[bytes, int]]:
    files = [path for path in directory.rglob("*") if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_runs_are_only_read(tmp_path: Path) -> None:
    run, other = make_run(tmp_path / "run", Made("aime")), make_run(tmp_path / "b", Made("aime"))
    before = snapshot(run) | snapshot(other)
    with (run / "aime/scores.jsonl").open("ab"):  # a writer that is still there
        assert write(run, against=other) == tmp_path / "run.html"
    assert snapshot(run) | snapshot(other) == before
    assert write(run, tmp_path / "x.html").read_bytes() == write(run, tmp_path / "y.html").read_bytes()  # fmt: skip


@pytest.mark.parametrize("megabytes", [3.0, 2.3])
def test_a_page_keeps_its_size(tmp_path: Path, megabytes: float) -> None:
    run = make_run(tmp_path / "run", Made("aime", questions=60, k=16, chars=3000))
    whole, page = render(load(run)), render(load(run, megabytes), megabytes=megabytes)
    assert len(whole) > 1.5e6 * 2
    assert 0.93 * megabytes * 1e6 < len(page.encode()) < megabytes * 1e6
    found = Page(page)
    limit = json.loads(found.blocks["data"])["limit"]
    assert limit > LEAST_CHARS
    samples = unpack(found, "texts-0")[3]["samples"]
    held = load(run).benchmarks["aime"].samples["aime-3"]
    first = {next(n for n, one in enumerate(held) if one.score == score) for score in (0, 1)}
    for n, (stored, one) in enumerate(zip(samples, held, strict=True)):
        most = limit * (16 // SHARE if n in first else 1)
        kept = stored["text"] if isinstance(stored["text"], list) else [stored["text"], 0, ""]
        assert len(kept[0]) + len(kept[2]) == min(most, one.text.chars)
        assert one.text.head.startswith(kept[0])
        assert one.text.head.endswith(kept[2])
        assert kept[1] == max(0, one.text.chars - most)


def test_a_page_has_at_least_a_little_of_each(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Made("aime", questions=3))
    page = Page(render(load(run, 0.001), megabytes=0.001))
    assert json.loads(page.blocks["data"])["limit"] == LEAST_CHARS
    assert len(unpack(page, "texts-0")[2]["samples"]) == 4


def test_the_same_question_is_stored_once(tmp_path: Path) -> None:
    one, other = make_run(tmp_path / "a", Made("aime")), make_run(tmp_path / "b", Made("aime"), seed=1)  # fmt: skip
    change(other / "aime/questions.jsonl", lambda row: row.update(gold="7"), [3])
    page = Page(render(load(one), load(other)))
    first, second = (unpack(page, f"texts-{n}") for n in (0, 1))
    assert all(row["question"]["messages"] for row in first)
    assert [n for n, row in enumerate(second) if row["question"]] == [3]


def test_runs_that_have_nothing_in_common(tmp_path: Path) -> None:
    one, other = make_run(tmp_path / "a/out", Made("aime")), make_run(tmp_path / "b/out", Made("math"))  # fmt: skip
    page = Page(write(one, tmp_path / "page.html", against=other).read_text("utf-8"))
    data = json.loads(page.blocks["data"])
    assert [run["name"] for run in data["runs"]] == ["a/out", "b/out"]
    assert "no benchmark in both" in data["compared"]["notes"][0]
    assert [[run is None for run in one["runs"]] for one in data["benchmarks"]] == [[False, True], [True, False]]  # fmt: skip


# ---- the page in a browser ---------------------------------------------------------


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("runs")
    first = [Made("aime", questions=30, k=16, value=0.6), Made("math", questions=40, k=1, value=0.75),
             Made("codeforces", headline="rating")]  # fmt: skip
    second = [Made("aime", questions=30, k=8, right=0.8, value=0.7), Made("gpqa", questions=5)]
    return make_run(folder / "base", *first), make_run(folder / "tuned & <b>", *second, seed=1, model="big")  # fmt: skip


@pytest.fixture(scope="module")
def pages(runs: tuple[Path, Path]) -> list[Path]:
    """Of the first run, and of both."""
    folder = runs[0].parent
    return [write(runs[0], folder / "1.html"), write(runs[0], folder / "2.html", against=runs[1])]


def shown(browser: Any, file: Path, place: str = "") -> Tab:  # noqa: F811
    tab = Tab(browser, file).open(place)
    ready(tab)
    return tab


def ready(tab: Tab) -> None:
    """Waits for the samples and for the plots."""
    tab.browser.set_script_timeout(60)
    tab.browser.execute_async_script(
        """const done = arguments[0], look = () => {
          const plots = [...document.querySelectorAll('figure:not([hidden]) > div:last-child:not(.scroll)')];
          if (window.Plotly && plots.every((p) => p.data) && document.querySelector('#detail h3')) return done();
          setTimeout(look, 30);
        };
        look();"""
    )


def pick(tab: Tab, selector: str, value: str) -> None:
    tab.js("(() => { const s = document.querySelector(arguments[0]); s.value = arguments[1];"
           " s.dispatchEvent(new Event('change')); s.dispatchEvent(new Event('input')); })()", selector, value)  # fmt: skip
    settle(tab)


def settle(tab: Tab) -> None:
    tab.browser.execute_async_script("setTimeout(arguments[0], 250)")


@pytest.fixture
def tab(browser: Any, pages: list[Path]) -> Iterator[Tab]:  # noqa: F811
    one = shown(browser, pages[0])
    yield one
    one.quiet()


def plots(tab: Tab) -> dict[str, Any]:
    """Title -> what Plotly was given."""
    return dict(tab.js("Object.fromEntries([...document.querySelectorAll('#charts figure')].map((f) => [f.querySelector('h3').innerText,"
                       " f.lastChild.data.map(({x, y, line, mode}) => ({x, y, dash: line?.dash, mode}))]))"))  # fmt: skip


def test_scores_stand_beside_their_doubts(tab: Tab) -> None:
    assert tab.text("h1") == "base"
    assert tab.text("#about") == "tiny, 568 samples"
    assert tab.texts("#board thead th") == [
        "benchmark", "score", "95 % interval", "bounds", "truncated", "API error", "no answer", "grader error",
        "missing", "samples", "tokens", "cost", "time",
    ]  # fmt: skip
    rows = [row.split("\t") for row in tab.texts("#board tbody tr")]
    assert rows[0] == [
        "AIME <b>", "60.0 % pass@1", "50.0 to 69.0 % ± 4.8", "58.0 to 63.0 %", "4.0 %", "2.0 %", "5.0 %", "0.0 %",
        "< 0.1 %", "30 × 16", "58K", "0.25", "1 h 2 min",
    ]  # fmt: skip
    assert rows[2][1:3] == ["2,029 rating", "1,968 to 2,090 ± 31"]
    assert tab.texts("#board tbody tr:first-child .warn") == ["4.0 %", "2.0 %", "5.0 %", "< 0.1 %"]
    # A rating is no share: the plot has the other two.
    dots = tab.js("document.querySelector('#overview > div').data[1]")
    assert dots["x"] == [0.6, 0.75]
    assert dots["error_x"]["array"] == pytest.approx([0.09, 0.09])
    assert dots["error_x"]["arrayminus"] == pytest.approx([0.1, 0.1])
    assert tab.js("[...document.querySelectorAll('#overview .ytick')].map((t) => t.textContent)") == ["AIME <b>", "MATH <b>"]  # fmt: skip
    assert tab.texts("#said p") == [
        "Questions tied in cons@k, where a tie counts as the mean of the tied: 3.",
        "Pairs of answers that could not be compared, and count as different: 1.",
        "a note <u>",
    ]
    assert tab.texts("#notes p") == []


def test_curves_and_lengths(tab: Tab, runs: tuple[Path, Path]) -> None:
    drawn = plots(tab)
    assert drawn["pass@k and cons@k"] == [
        {"x": [1, 2, 4, 8, 16], "y": pytest.approx([0.6, 0.65, 0.7, 0.75, 0.8]), "dash": "solid", "mode": "lines+markers"},
        {"x": [1, 4, 16], "y": pytest.approx([0.6, 0.62, 0.64]), "dash": "solid", "mode": "lines+markers"},
    ]  # fmt: skip
    counts = [len(one["x"]) for one in drawn["Lengths"]]
    samples = [
        s
        for group in load(runs[0]).benchmarks["aime"].samples.values()
        for s in group
        if s.state != "e"
    ]
    told = [sum(s.score == 1 for s in samples), sum(s.score == 0 for s in samples), sum(s.score is None for s in samples)]  # fmt: skip
    assert counts == told
    assert sorted(drawn["Lengths"][0]["x"]) == sorted(s.tokens for s in samples if s.score == 1)
    pick(tab, "#of", "1")
    ready(tab)
    assert set(plots(tab)) == {"Lengths"}  # one sample each: no curve


def test_filters_search_and_order(tab: Tab, runs: tuple[Path, Path]) -> None:
    groups = load(runs[0]).benchmarks["aime"].samples
    scores = {name: [s.score for s in group if s.score is not None] for name, group in groups.items()}  # fmt: skip

    def of(wanted: Any) -> str:
        return f"{sum(bool(wanted(name)) for name in groups)} of 30"

    want = {
        "right": lambda name: min(scores[name]) == 1,
        "wrong": lambda name: max(scores[name]) == 0,
        "mixed": lambda name: 0 < sum(scores[name]) < len(scores[name]),
        "truncated": lambda name: any(s.truncated for s in groups[name]),
        "errors": lambda name: any(s.state in "ge" for s in groups[name]),
        "all": lambda name: True,
    }
    for name, wanted in want.items():
        pick(tab, "#filter", name)
        assert tab.text("#count") == of(wanted), name
        if name in ("truncated", "errors"):  # the first sample shown is one of them
            tab.find(".row").click()
            settle(tab)
            assert {"truncated": "cut off", "errors": "error"}[name] in tab.text(".facts")
    assert len(tab.texts(".row")) == 30
    pick(tab, "#sort", "rate")
    rates = {name: sum(some) / len(some) for name, some in scores.items()}
    assert tab.texts(".row .id") == sorted(rates, key=lambda name: (rates[name], list(rates).index(name)))  # fmt: skip
    pick(tab, "#sort", "-rate")
    assert tab.texts(".row .id")[0] == max(rates, key=rates.__getitem__)
    pick(tab, "#sort", "place")
    for text, expected in (("AIME-7", ["aime-7"]), ("what is 100 + 23", ["aime-23"]), ("zzz", [])):
        pick(tab, "#search", text)
        assert tab.texts(".row .id") == expected
    wrong = next(s.extracted.head for s in groups["aime-4"] if s.score == 0 and s.extracted.head)
    pick(tab, "#search", wrong)
    assert "aime-4" in tab.texts(".row .id")  # by an answer that a sample gave


def test_every_sample_with_its_answer_and_evidence(tab: Tab, runs: tuple[Path, Path]) -> None:
    group = load(runs[0]).benchmarks["aime"].samples["aime-0"]
    assert tab.text("#detail h3") == "aime-0"
    assert tab.text("#detail .note") == "difficulty hard"
    assert tab.text("pre[aria-label=user]").startswith("Question 0: what is 100 + 0?\n")
    assert tab.text("pre[aria-label='Reference answer']") == "100"
    marks = {None: "!", 0.0: "✗", 1.0: "✓"}
    assert tab.texts(".chips button") == [marks[sample.score] for sample in group]
    for n, sample in enumerate(group):
        tab.js("document.querySelectorAll('.chips button')[arguments[0]].click()", n)
        settle(tab)
        assert f"sample {n} ·" in tab.text(".facts")
        if sample.state == "e":
            assert "no score" in tab.text(".facts")
            assert tab.text("pre[aria-label=Error]") == "429 Too Many Requests"
            continue
        assert tab.text("pre[aria-label=Response]") == sample.text.head
        assert tab.text("pre[aria-label='Extracted answer']") == (sample.extracted.head or "(empty)")  # fmt: skip
        assert "touchstone 1" in tab.text(".evidence")
    tally = tab.text(".tally").splitlines()
    right = sum(sample.score == 1 for sample in group)
    assert any(f"✓ 100 × {right}" in one for one in tally)


def test_keys_and_addresses(tab: Tab) -> None:
    tab.keys("j", "\ue014")  # right
    settle(tab)
    assert tab.text("#detail h3") == "aime-1"
    assert "sample 1 ·" in tab.text(".facts")
    address = tab.js("location.hash")
    assert address == "#benchmark=aime&question=aime-1&sample=1"
    tab.keys("k", "/")
    settle(tab)
    assert tab.text("#detail h3") == "aime-0"
    assert tab.js("document.activeElement.id") == "search"
    tab.open("#benchmark=math&question=math-21&sample=0")
    ready(tab)
    assert tab.text("#detail h3") == "math-21"
    assert tab.js("document.querySelector('#of').value") == "1"
    assert tab.js("document.querySelector('#row-21').ariaSelected") == "true"


def test_beside_another_run(browser: Any, runs: tuple[Path, Path], pages: list[Path]) -> None:  # noqa: F811
    tab = shown(browser, pages[1])
    assert tab.texts("#legend span") == ["base", "tuned & <b>"]
    names = [row.split("\n")[1].split("\t")[0] for row in tab.texts("#board tbody tr")]
    assert names == ["base", "tuned & <b>", "base", "base", "tuned & <b>"]
    assert [one["dash"] for one in plots(tab)["pass@k and cons@k"]] == ["solid", "dash"] * 2
    assert set(plots(tab)) == {"pass@k and cons@k", "Lengths, base", "Lengths, tuned & <b>"}
    assert tab.texts("article h3") == ["base", "tuned & <b>"]
    chips = tab.js("[...document.querySelectorAll('.chips')].map((c) => c.childElementCount)")
    assert chips == [16, 8]
    boxes = tab.js("[...document.querySelectorAll('article')].map((a) => a.getBoundingClientRect().y)")  # fmt: skip
    assert boxes[0] == boxes[1]  # side by side
    both = [load(one).benchmarks["aime"].samples for one in runs]
    means = [{name: sum(found) / len(found) for name, group in one.items() if (found := [s.score for s in group if s.score is not None])} for one in both]  # fmt: skip
    pick(tab, "#filter", "differ")
    assert tab.text("#count") == f"{sum(means[0][name] != means[1][name] for name in means[0])} of 30"  # fmt: skip
    pick(tab, "#filter", "all")
    pick(tab, "#sort", "difference")
    lost = min(means[0], key=lambda name: means[1][name] - means[0][name])
    assert tab.texts(".row .id")[0] == lost
    pick(tab, "#in", "1")
    pick(tab, "#filter", "right")
    assert tab.text("#count") == f"{sum(one == 1 for one in means[1].values())} of 30"
    pick(tab, "#filter", "all")
    paired = [row.split("\t") for row in tab.texts("#compared tr")]
    assert [row[0].strip() for row in paired[1:]] == ["aime", "difficulty: easy", "difficulty: hard"]  # fmt: skip
    assert paired[1][paired[0].index("questions")] == "30"
    # A benchmark that one of them lacks.
    pick(tab, "#of", "3")
    ready(tab)
    assert tab.texts(".row .rate")[0] == "not asked"
    assert set(plots(tab)) == {"pass@k and cons@k", "Lengths, tuned & <b>"}
    tab.js("document.querySelector('#made').open = true")
    keys = [row.split("\t")[0] for row in tab.texts("#made tr")[1:]]
    assert "model" in keys
    assert "benchmarks.aime.protocol.k" in keys
    assert "benchmarks.aime.protocol.name" not in keys
    tab.find("#differs").click()
    assert "benchmarks.aime.protocol.name" in [row.split("\t")[0] for row in tab.texts("#made tr")]
    tab.quiet()


def test_a_run_that_goes_on(browser: Any, tmp_path: Path) -> None:  # noqa: F811
    run = make_run(tmp_path / "run", Made("aime", questions=6, k=4), Made("math", k=1))
    folder = run / "aime"
    kept = (folder / "generations.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "generations.jsonl").write_bytes(b"".join(kept[:10]))
    (folder / "scores.jsonl").write_bytes(b"")
    (folder / "summary.json").unlink()
    page = tmp_path / "page.html"
    tab = shown(browser, write(run, page))
    graded = sum(json.loads(row)["finish"] != "error" for row in kept[:10])
    assert tab.texts("#notes p") == [f"run is not finished. aime: 10 of 24 samples, {graded} not graded yet, no summary yet"]  # fmt: skip
    assert tab.texts("#board .score") == ["none no summary yet", "50.0 % pass@1"]
    assert tab.texts(".row .rate") == ["no score"] * 3 + ["no sample"] * 3
    tab.find("#row-5").click()
    settle(tab)
    assert tab.text("#detail h3") == "aime-5"
    tab.quiet()
    # Nothing but its questions.
    (folder / "generations.jsonl").unlink()
    (folder / "scores.jsonl").unlink()
    tab = shown(browser, write(run, page))
    assert "0 of 24 samples, no summary yet" in tab.text("#notes")
    tab.quiet()
    (run / "run.json").write_text('{"model": "m", "benchmarks": {}}')
    write(run, page)
    tab.open()
    settle(tab)
    assert tab.text("#about") == "m, 0 samples"
    assert tab.js("document.querySelector('main').hidden")
    tab.quiet()


def test_hostile_texts_stay_texts(browser: Any, tmp_path: Path) -> None:  # noqa: F811
    run = make_run(tmp_path / "run", Made("aime", questions=3, k=2))
    folder = run / "aime"
    evil = HOSTILE + "</think>" + HOSTILE
    messages = [{"role": "system", "content": ID}, {"role": "user", "content": ID}]
    change(folder / "questions.jsonl", lambda row: row.update(id=ID, gold=ID, messages=messages, slices={ID: ID}), [0])  # fmt: skip
    prompt = prompt_hash([Message(**one) for one in messages])
    for name in ("generations", "scores"):
        change(
            folder / f"{name}.jsonl",
            lambda row: row.update(question=ID, prompt_hash=prompt),
            [0, 1],
        )
    change(folder / "generations.jsonl", lambda row: row.update(response=evil, reasoning="", finish="stop", error=HOSTILE))  # fmt: skip
    change(folder / "generations.jsonl", lambda row: row.update(response="y" * 1_000_000 + HOSTILE), [1])  # fmt: skip
    change(folder / "scores.jsonl", lambda row: row.update(extracted=HOSTILE, evidence={HOSTILE: HOSTILE, "parts": [HOSTILE]}))  # fmt: skip
    regrade(folder)
    told = summary(Made("aime"), title=HOSTILE, source=HOSTILE, slices={HOSTILE: {HOSTILE: Slice(0.5, 0.1, 3)}},
                   metrics={HOSTILE: Estimate(None)}, headline=Headline(0.5, 0.1, 0.4, 0.6, name=HOSTILE), notes=(HOSTILE,))  # fmt: skip
    (folder / "summary.json").write_text(json.dumps(asdict(told)))
    manifest = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(manifest | {"model": HOSTILE, HOSTILE: HOSTILE}))
    page = render(load(run), load(run))
    assert "<img" not in page
    assert page.count("</script>") == page.count("<script")
    for scheme in ("light", "dark"):
        tab = shown(browser, write(run, tmp_path / "page.html"))
        tab.look(1280, scheme)
        tab.open()
        ready(tab)
        tab.js("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        seen = f"</script><script>{PWN}</script><img src=x onerror={PWN}>"
        text = tab.js("document.body.innerText")
        for place in ("#about", "#source", "#board", "#tables", "#detail > .head", "pre[aria-label=user]", "pre[aria-label='Reference answer']",
                      "pre[aria-label=Response]", "pre[aria-label='Extracted answer']", "pre[aria-label=Error]", ".evidence", ".tally", "#made", ".row .id"):  # fmt: skip
            assert tab.text(place).count("</script><script>") > 0, place
        assert seen in text
        for escaped in ("U+202Egnp.exe", "\\x00", "\\x1b[31m", "U+2028", "U+D800", "$title", "😀"):
            assert escaped in text
        assert not set("\u202e\u202c\u2028\x00\x1b") & set(text)
        markup = tab.js("[...document.querySelectorAll('img, b:not([class] b, #tables b, #board b, #notes b), u, a, iframe, main script')].map((n) => n.outerHTML)")  # fmt: skip
        assert markup == []
        assert tab.js("document.querySelectorAll('head script').length") == 1  # plotly
    # A line of a megabyte opens at once; more of it comes on request.
    began = time.monotonic()
    tab.js("document.querySelectorAll('.chips button')[1].click()")
    settle(tab)
    assert time.monotonic() - began < 15
    assert len(tab.text("pre[aria-label=Response]")) < 21_000
    tab.find("pre[aria-label=Response] button").click()
    assert 200_000 <= len(tab.text("pre[aria-label=Response]")) < 201_000
    # Plotly takes markup in names: none of ours gets there as such.
    assert tab.js("[...document.querySelectorAll('#overview text')].some((t) => t.textContent.includes('</script>'))")  # fmt: skip
    assert tab.js("document.querySelectorAll('svg a').length") == 0
    tab.quiet()


SAMPLES = (500, 64, 2000)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """500 questions, 64 samples of 2 KB each."""
    questions, k, chars = SAMPLES
    run = make_run(tmp_path_factory.mktemp("large") / "run", Made("math500", questions, k, chars=chars))  # fmt: skip
    return write(run)


def test_32_000_samples(browser: Any, large: Path) -> None:  # noqa: F811
    assert 9_000_000 < large.stat().st_size < 10_000_000
    # Wall time is that of the neighbours too: what counts is the page's own, and that all can be
    # read before the plots are there.
    watch = """const timer = setInterval(() => {
      if (!document.querySelector('#detail h3')) return;
      window.__ready = { plotly: Boolean(window.Plotly) };
      clearInterval(timer);
    }, 2);"""
    cdp = browser.execute_cdp_cmd
    script = cdp("Page.addScriptToEvaluateOnNewDocument", {"source": watch})["identifier"]
    cdp("Performance.enable", {"timeDomain": "threadTicks"})
    tab = Tab(browser, large).open()
    ready(tab)
    spent = {one["name"]: one["value"] for one in cdp("Performance.getMetrics", {})["metrics"]}
    cdp("Performance.disable", {})
    cdp("Page.removeScriptToEvaluateOnNewDocument", {"identifier": script})
    assert 0 < spent["TaskDuration"] < 5
    assert tab.js("window.__ready") == {"plotly": False}
    assert tab.text("#about") == "tiny, 32,000 samples"
    assert "texts longer than" in tab.text("#notes")
    assert len(tab.texts(".row")) < 80  # of 500: those in sight
    slow = tab.js("(() => { const t = performance.now(); document.querySelector('#sort').value = '-rate';"
                  " document.querySelector('#sort').onchange(); return performance.now() - t; })()")  # fmt: skip
    assert slow < 500
    tab.js("(() => { const l = document.querySelector('#list'); l.scrollTop = l.scrollHeight; })()")
    settle(tab)
    tab.js("[...document.querySelectorAll('.row')].at(-1).click()")
    settle(tab)
    assert len(tab.texts(".chips button")) == 64
    tab.js("document.querySelectorAll('.chips button')[63].click()")
    settle(tab)
    assert "sample 63 ·" in tab.text(".facts")
    assert tab.text("pre[aria-label=Response]")
    tab.quiet()


COLOURS = {"light": ((255, 255, 255), (37, 99, 201)), "dark": ((20, 23, 27), (110, 161, 245))}


@pytest.mark.parametrize("several", [False, True])
def test_what_it_looks_like(browser: Any, pages: list[Path], several: bool) -> None:  # noqa: F811
    image = pytest.importorskip("PIL.Image")
    tab = shown(browser, pages[several])
    for width, scheme in ((1280, "light"), (1280, "dark"), (400, "dark"), (400, "light")):
        tab.look(width, scheme)
        settle(tab)
        settle(tab)
        shot = image.open(io.BytesIO(tab.browser.get_screenshot_as_png())).convert("RGB")
        colours = {colour: n for n, colour in shot.getcolors(1 << 20)}
        back, line_ = COLOURS[scheme]
        assert colours.get(back, 0) > 0.4 * width * 850
        assert colours.get(line_, 0) > 100
        assert tab.js("document.documentElement.scrollWidth") <= width
        # Nothing sticks out of what holds it.
        wide = tab.js("[...document.querySelectorAll('#board, figure, #panes, #detail, article, .row .rate')]"
                      ".filter((n) => n.scrollWidth > n.clientWidth + 1).map((n) => n.id || n.className || n.tagName)")  # fmt: skip
        assert wide == []
        columns = tab.js("new Set([...document.querySelectorAll('#charts > figure')].map((f) => f.getBoundingClientRect().x)).size")  # fmt: skip
        assert columns == {1280: 3 if several else 2, 400: 1}[width]
    tab.quiet()
