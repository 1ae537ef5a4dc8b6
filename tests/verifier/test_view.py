"""`touchstone view`: the page as text, and the page in a real browser."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name

from tests.verifier.support import wait_for
from tests.verifier.test_cli import touchstone
from verifier import jsonl
from verifier.v1 import verifier_pb2 as pb
from verifier.view import TEXT_CHARS, block, render
from verifier.view.highlight import BY_TOOLCHAIN, LONGEST, Highlighter
from verifier.view.read import BadInput, read_items, read_verdicts

PWN = "window.__pwned=1"
HOSTILE = (
    f"</script><script>{PWN}</script><img src=x onerror={PWN}><!--<script>"
    f"\" onmouseover='{PWN}' ]]> &lt;b&gt; \u202egnp.exe\u202c \x00 \x1b[31m \u2028 \U0001f600"
)
PROGRAM = (
    "import sys\n\n\ndef main():\n    # caf\u00e9 \U0001f600\n    print('no', len(sys.argv))\n"
)


def part(score: float | None, reason: str, name: str = "accuracy", **fields: Any) -> pb.Part:
    return pb.Part(name=name, score=score, weight=1, reason=reason, **fields)


def code_verdict(name: str, **fields: Any) -> pb.Verdict:
    evidence = pb.CodeEvidence(toolchain="CPython 3.11.7", **fields.pop("code", {}))
    return pb.Verdict(
        id=name, status=pb.Verdict.OK, evidence=pb.Evidence(code=evidence), extracted=PROGRAM,
        provenance=pb.Provenance(verifier="code", verifier_version="2", sandbox_tier="T3"),
        timing=pb.Timing(queued_ms=3, ran_ms=120), **fields,
    )  # fmt: skip


def wrong() -> pb.Verdict:
    tests = [
        pb.TestResult(id="0", reason="accepted", cpu_ms=12.5, wall_ms=20, memory_bytes=9 << 20,
                      input="1\n", expected="1\n", got="1\n"),
        pb.TestResult(id="1", reason="wrong_answer", cpu_ms=14, wall_ms=22, memory_bytes=10 << 20,
                      input="3\n1 2 3\n",
                      expected="same\n" * 9 + "total 6\nmean 2.000\nlast\n",
                      got="same\n" * 9 + "total  6\nmean 2.500\nlast "),
        pb.TestResult(id="2", reason="not_run"),
    ]  # fmt: skip
    flags = [pb.Flag(kind="hard_coded_output", detail="3 of 3 expected outputs stand in the text")]
    signals = pb.StaticSignals(parses=True, lint_findings=1, lint=["F401:1: `os` is not used"])
    return code_verdict(
        "wrong-1", reward=0, parts=[part(0, "wrong_answer", detail="test 1: wrong answer")],
        code={"tests": tests, "flags": flags, "signals": signals},
    )  # fmt: skip


def verdicts() -> list[pb.Verdict]:
    accepted = pb.TestResult(
        id="0", reason="accepted", cpu_ms=3, input="1 2", expected="3", got="3"
    )
    right = code_verdict(
        "right-1", reward=1, parts=[part(1, "accepted")], code={"tests": [accepted]}
    )
    math = pb.Verdict(
        id="math-1", status=pb.Verdict.OK, reward=0.5,
        parts=[part(0, "no_match"), part(1, "well_formed", "format")], extracted="x^2",
        evidence=pb.Evidence(math=pb.MathEvidence(
            tier="numeric", source="boxed", start=4, end=7, gold="x^2+1", canonical_gold="x^{2} + 1",
            canonical_answer="x^{2}", point={"x": "3/7"},
        )),
        provenance=pb.Provenance(verifier="math", verifier_version="2", recipe="r1_zero"),
    )  # fmt: skip
    hostile = code_verdict(
        HOSTILE, reward=0, parts=[part(0, "runtime_error", HOSTILE, detail=HOSTILE)],
        code={
            "tests": [pb.TestResult(id=HOSTILE, reason="wrong_answer", input=HOSTILE, expected=HOSTILE,
                                    got=HOSTILE + "x", detail=HOSTILE)],
            "flags": [pb.Flag(kind="patching", detail=HOSTILE)], "diagnostics": HOSTILE,
            "signals": pb.StaticSignals(lint=[HOSTILE]),
        },
    )  # fmt: skip
    hostile.extracted = HOSTILE + "y" * 1_000_000
    hostile.provenance.recipe = HOSTILE
    hostile.evidence.message = HOSTILE
    invalid = pb.Verdict(
        id="bad-1", status=pb.Verdict.INVALID, evidence=pb.Evidence(message="math.gold: empty")
    )
    return [
        right,
        wrong(),
        math,
        hostile,
        invalid,
        pb.Verdict(id="bad-1", status=pb.Verdict.TIMEOUT),
        pb.Verdict(),
    ]


def items() -> list[pb.Item]:
    found = [
        pb.Item(id=verdict.id, prompt="What?", response="So \\boxed{x^2}.")
        for verdict in verdicts()
    ]
    found[2].response = "\U0001f600a: x^2!"
    found[2].math.gold.extend(["x^2+1", "1+x^2"])
    found[3].prompt = found[3].response = HOSTILE
    found[1].code.language = "python"
    found[1].code.tests.extend([
        pb.CodeTest(stdin="1\n", stdout="1\n"),
        pb.CodeTest(stdin="3\n1 2 3\n# whole input\n", stdout=wrong().evidence.code.tests[1].expected),
        pb.CodeTest(args_json=["[1]", "2"], expected_json="3", hidden=True),
    ])  # fmt: skip
    found[1].code.entry_point = "f"
    return found


def lines(messages: list[pb.Verdict]) -> list[bytes]:
    return [jsonl.write_verdict(one).encode() + b"\n" for one in messages]


class Page(HTMLParser):
    """What a parser makes of a page: its scripts, its style, its policy, its tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.blocks: dict[str, str] = {}
        self.tags: list[str] = []
        self.texts: dict[str, str] = {}
        self.policy = ""
        self._open = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = dict(attrs)
        self.tags.append(tag)
        self._open = tag
        if tag == "script" and fields.get("id"):
            self._open = f"#{fields['id']}"
        if fields.get("http-equiv"):
            self.policy = fields["content"] or ""
        assert not any(name.startswith("on") or name in ("src", "style") for name in fields), attrs

    def handle_data(self, data: str) -> None:
        where = self.blocks if self._open.startswith("#") else self.texts
        where[self._open.lstrip("#")] = where.get(self._open.lstrip("#"), "") + data

    def handle_endtag(self, tag: str) -> None:
        self._open = ""


# ---- the page as text ------------------------------------------------------


def test_policy_admits_our_script_and_style_alone() -> None:
    page = Page(render(verdicts(), items(), title=HOSTILE))
    for kind, tag in (("script-src", "script"), ("style-src", "style")):
        digest = base64.b64encode(hashlib.sha256(page.texts[tag].encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}';" in page.policy
    assert page.policy.startswith("default-src 'none'; ")
    assert "unsafe" not in page.policy
    assert page.texts["title"] == HOSTILE


def test_data_adds_no_elements() -> None:
    plain = [pb.Verdict() for _ in verdicts()]
    assert [t for t in Page(render(verdicts())).tags if t != "script"] == [
        t for t in Page(render(plain)).tags if t != "script"
    ]
    page = render(verdicts(), items())
    assert "<img" not in page
    assert page.count("</script>") == page.count("<script")
    assert "http:" not in page.replace("http-equiv", "")
    assert "https:" not in page


def test_blocks_hold_what_the_verdicts_say() -> None:
    page = Page(render(verdicts(), items()))
    details = json.loads(page.blocks["details-0"])
    assert details[3]["verdict"]["evidence"]["message"] == HOSTILE
    assert details[3]["verdict"]["evidence"]["code"]["tests"][0]["got"] == HOSTILE + "x"
    assert details[1]["program"]["text"] == PROGRAM
    rows = json.loads(page.blocks["rows"])
    assert [row["reward"] for row in rows] == [1, 0, 0.5, 0, None, None, None]
    assert rows[1]["flags"] == ["hard_coded_output"]
    tests = json.loads(page.blocks[f"shared-{details[1]['item']['tests']}"])
    assert tests[2] == {"input": "", "expected": "", "hidden": True}
    assert details[0]["item"]["prompt"] == details[1]["item"]["prompt"]
    # The answer's place counts as JavaScript does: the emoji is two.
    assert details[2]["item"]["answer"] == [5, 8]


def test_long_texts_are_cut_with_their_length() -> None:
    page = Page(render(verdicts()))
    cut = json.loads(page.blocks["details-0"])[3]["program"]["text"]
    assert len(cut["cut"]) == TEXT_CHARS
    assert cut["chars"] == len(HOSTILE) + 1_000_000


def test_values_beyond_json_and_beyond_this_version() -> None:
    odd = pb.Verdict(id="odd", status=99, reward=float("nan"), parts=[part(float("inf"), "match")])  # type: ignore[arg-type]
    rows = json.loads(Page(render([odd])).blocks["rows"])
    assert (rows[0]["status"], rows[0]["reward"]) == ("99", "NaN")


def test_an_item_for_each_verdict() -> None:
    with pytest.raises(ValueError, match="one for each of 1 verdicts, got 0"):
        render([pb.Verdict()], [])


@settings(deadline=None)  # neighbours share the cores
@given(st.text(st.characters(codec=None)))
def test_any_text_survives_in_a_block(text: str) -> None:
    found = Page(f"<p>{block('one', {'text': text})}<b>").blocks["one"]
    assert json.loads(found) == {"text": text}
    assert found.isascii() or found.encode()  # no half of a surrogate pair is left


@settings(deadline=None)
@given(st.text(max_size=300), st.sampled_from(sorted(set(BY_TOOLCHAIN.values()))))
def test_runs_never_exceed_the_program(program: str, language: str) -> None:
    runs = Highlighter().runs(program, language, "") or []
    assert sum(runs[::2]) <= len(program.encode("utf-16-le")) // 2
    assert all(length >= 0 for length in runs[::2])


def test_runs_name_what_they_cover() -> None:
    runs = Highlighter().runs(PROGRAM, "", "CPython 3.11.7")
    assert runs is not None
    units, place, kinds = PROGRAM.encode("utf-16-le"), 0, {}
    for length, kind in zip(runs[::2], runs[1::2], strict=True):
        kinds[units[2 * place : 2 * (place + length)].decode("utf-16-le").strip()] = kind
        place += length
    assert place * 2 == len(units)
    assert (kinds["import"], kinds["# caf\u00e9 \U0001f600"], kinds["'no'"]) == (5, 1, 2)
    assert Highlighter().runs("x = 1", "klingon", "") is None


@pytest.mark.parametrize("language", sorted(set(BY_TOOLCHAIN.values())))
def test_hostile_programs_are_highlighted_in_bounded_time(language: str) -> None:
    get_lexer_by_name(language)  # compiles its expressions
    for text in ("(", '"', "/*", "<", "\\", "<<A\n", "\n ", "a.", "class "):
        started = time.thread_time()
        Highlighter().runs((text * LONGEST)[: LONGEST - 1] + "!", language, "")
        assert time.thread_time() - started < 3, text


# ---- reading, and the command ------------------------------------------------


def test_bad_lines_are_named() -> None:
    bad = [
        *lines(verdicts()[:1]),
        b'{"id": \n',
        b'{"id": "a", "statu": "OK"}\n',
        b"[]\n",
        b"\xff\n",
        b'{"status": "\\u001b[1mA"}',
    ]
    with pytest.raises(BadInput) as caught:
        read_verdicts(bad)
    said = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in said] == [f"line {n}" for n in range(2, 7)]
    assert "Expecting value" in said[0]
    assert "statu: no such field, Verdict has id, status" in said[1]
    assert "a JSON object is wanted, got a list" in said[2]
    assert "status" in said[4]
    assert "\x1b" not in said[4]


def test_items_must_be_the_verdicts_own() -> None:
    written = [jsonl.json_format.MessageToJson(item, indent=None).encode() for item in items()]
    assert [item.id for item in read_items(written, verdicts()) if item] == [
        v.id for v in verdicts()
    ]
    with pytest.raises(BadInput, match="6 items, but 7 verdicts"):
        read_items(written[:-1], verdicts())
    with pytest.raises(BadInput, match="item 1 is 'wrong-1', but its verdict 'right-1'"):
        read_items([written[1], written[0], *written[2:]], verdicts())
    # As `touchstone verify` answers a line that is no item.
    assert read_items([b"{"], [pb.Verdict(id="line 1")]) == [None]


def test_command(tmp_path: Path) -> None:
    source = tmp_path / "verdicts.jsonl"
    source.write_bytes(b"".join(lines(verdicts())))
    run = touchstone("view", source)
    assert run.returncode == 0, run.stderr
    page = (tmp_path / "verdicts.html").read_text()
    assert "7 verdicts" in run.stderr
    assert Page(page).texts["h1"] == "verdicts.jsonl"
    run = touchstone("view", source, "--output", "-")
    assert run.stdout == page
    run = touchstone("view", "-", "--output", tmp_path / "b.html", stdin=source.read_text())
    assert run.returncode == 0, run.stderr
    run = touchstone("view", source, "--output", source)
    assert run.returncode == 2
    assert "is an input itself" in run.stderr
    source.write_text('{"id": 1.5}\n')
    run = touchstone("view", source)
    assert run.returncode == 2
    assert "line 1" in run.stderr
    assert "id" in run.stderr
    assert touchstone("view", tmp_path / "none.jsonl").returncode == 2


# ---- the page in a browser -----------------------------------------------------


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium of the host's."""
    webdriver = pytest.importorskip("selenium.webdriver")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no chromium and chromedriver (scripts/install-browser.sh)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--disable-dev-shm-usage", f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(
        executable_path=driver, env={**os.environ, "LC_ALL": "C.UTF-8"}
    )
    running = webdriver.Chrome(options=options, service=service)
    try:
        yield running
    finally:
        running.quit()


class Tab:
    """The page, open; every check ends with a look at the console."""

    def __init__(self, browser: Any, file: Path) -> None:
        self.browser, self.file = browser, file
        self.look(1280, "light")

    def look(self, width: int, scheme: str) -> None:
        size = {"width": width, "height": 850, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)

    def open(self, place: str = "") -> Tab:
        self.browser.get("about:blank")
        self.browser.get(f"{self.file.as_uri()}{place}")
        return self

    def js(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(f"return {script}", *arguments)

    def text(self, selector: str) -> str:
        return str(self.js("document.querySelector(arguments[0]).innerText", selector))

    def texts(self, selector: str) -> list[str]:
        return list(
            self.js(
                "[...document.querySelectorAll(arguments[0])].map((n) => n.innerText)", selector
            )
        )

    def find(self, selector: str) -> Any:
        return self.browser.find_element("css selector", selector)

    def tick(self, name: str, value: str) -> None:
        self.js("[...document.querySelectorAll('input[type=checkbox]')]"
                ".find((box) => box.name === arguments[0] && box.value === arguments[1]).click()", name, value)  # fmt: skip

    def keys(self, *keys: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.browser).send_keys(*keys).perform()

    def quiet(self) -> None:
        assert self.js("window.__pwned") is None
        assert self.browser.get_log("browser") == []


@pytest.fixture
def tab(browser: Any, tmp_path: Path) -> Iterator[Tab]:
    file = tmp_path / "page.html"
    file.write_text(render(verdicts(), items(), title="verdicts.jsonl"))
    one = Tab(browser, file)
    yield one
    one.quiet()


def test_filters_change_what_is_shown(tab: Tab) -> None:
    tab.open()
    assert tab.text("#count") == "7 of 7 shown"
    assert len(tab.texts(".row")) == 7
    assert "mean reward 0.3750 over 4" in tab.text("#summary")
    assert "OK 4" in tab.text("#summary")
    tab.tick("status", "OK")
    assert tab.text("#count") == "4 of 7 shown"
    tab.tick("reason of accuracy", "no_match")
    assert tab.texts(".row .id") == ["math-1"]
    tab.tick("reason of accuracy", "wrong_answer")  # either of the two
    assert tab.texts(".row .id") == ["wrong-1", "math-1"]
    tab.tick("flags", "hard_coded_output")
    assert tab.texts(".row .id") == ["wrong-1"]
    # Beside a box: what it would show, given the other filters.
    assert tab.js("[...document.querySelectorAll('label')].map((n) => n.innerText.split(/\\s+/))"
                  ".find(([name]) => name === 'no_match')[1]") == "0"  # fmt: skip
    tab.find("button[type=reset]").click()
    assert tab.text("#count") == "7 of 7 shown"
    tab.find("input[aria-label='lowest score of format']").send_keys("1")
    assert tab.texts(".row .id") == ["math-1"]
    tab.find("button[type=reset]").click()
    tab.find("#search").send_keys("BAD")
    assert tab.texts(".row .id") == ["bad-1", "bad-1"]


def test_rewards_sort_and_none_is_no_zero(tab: Tab) -> None:
    tab.open()
    tab.js(
        "(() => { const s = document.querySelector('#sort'); s.value = '-reward'; s.onchange(); })()"
    )
    assert [row.split("\n")[-1] for row in tab.texts(".row")] == [
        "1",
        "0.5",
        "0",
        "0",
        "none",
        "none",
        "none",
    ]
    tab.js(
        "(() => { const s = document.querySelector('#sort'); s.value = 'reward'; s.onchange(); })()"
    )
    assert [row.split("\n")[-1] for row in tab.texts(".row")] == [
        "0",
        "0",
        "0.5",
        "1",
        "none",
        "none",
        "none",
    ]


def test_an_item_shows_program_tests_and_difference(tab: Tab) -> None:
    tab.open("#id=wrong-1")
    assert tab.text("#detail h2") == "wrong-1"
    assert tab.text("#program").strip() == PROGRAM.strip()
    assert [word.strip() for word in tab.texts("#program .c5")] == ["import", "def"]
    assert tab.texts("#program .c2") == ["'no'"]
    assert len(tab.texts(".test")) == 3
    summary = tab.texts(".test > summary")[1]
    assert [word in summary for word in ("wrong_answer", "14.0 ms", "10.0 MiB")] == [True] * 3
    assert tab.js("[...document.querySelectorAll('.test')].map((n) => n.open)") == [
        False,
        True,
        False,
    ]
    assert "# whole input" in tab.text(".test[open] pre")
    assert tab.texts(".diff > .gap") == ["⋯ 6 equal lines"]
    assert tab.texts(".diff > .del") == ["total 6", "mean 2.000", "last↵"]
    assert tab.texts(".diff > .add") == ["total ·6", "mean 2.500", "last·"]
    assert tab.texts(".diff mark") == ["000", "↵", "·", "500", "·"]
    detail = tab.text("#detail")
    for said in (
        "hard_coded_output",
        "3 of 3 expected outputs",
        "F401",
        "CPython 3.11.7",
        "T3",
        "What?",
    ):
        assert said in detail
    tab.find(".test").find_element("css selector", "summary").click()
    assert "1" in tab.texts(".test[open] pre")[0]


def test_mathematics(tab: Tab) -> None:
    tab.open("#id=math-1")
    detail = tab.text("#detail")
    for said in ("x^2+1", "x^{2} + 1", "numeric", "x = 3/7", "boxed", "1+x^2", "r1_zero"):
        assert said in detail
    tab.js("document.querySelectorAll('main details').forEach((n) => { n.open = true; })")
    assert tab.texts("main mark") == ["x^2"]


def test_a_group_of_preferences(browser: Any, tmp_path: Path) -> None:
    told = pb.JudgeEvidence(
        prompt="compare 0a1b", strengths=[2.5, 0.125, 1.0], disagreement=True,
        pairs=[
            pb.JudgePair(first=0, second=1, value=1, queries=4),
            pb.JudgePair(first=0, second=2, value=0.625, queries=4, disagreement=True),
            pb.JudgePair(first=1, second=2, queries=3, failure=HOSTILE),
        ],
        queries=[pb.JudgeQuery(label="A>>B", value=0, swapped=True, seed=3, model="standin",
                               cached=True, analysis=HOSTILE)],
    )  # fmt: skip
    verdict = pb.Verdict(
        id="group", status=pb.Verdict.OK, reward=0.7, evidence=pb.Evidence(judge=told),
        provenance=pb.Provenance(judge_model="standin", reward_model="scalar"),
    )  # fmt: skip
    file = tmp_path / "group.html"
    file.write_text(render([verdict]))
    tab = Tab(browser, file).open()
    tab.keys("j")
    cells = [
        tab.js("[...arguments[0].rows].map((row) => [...row.cells].map((n) => n.innerText))", table)
        for table in tab.browser.find_elements("css selector", "#detail table:not(.pairs)")
    ]
    queries, strengths, compared = (rows[1:] for rows in cells)
    assert queries[0][:6] == ["A>>B", "0", "3", "rival first", "standin", "cached"]
    assert [row[:2] for row in strengths] == [
        ["response", "2.5"], ["rival 1", "0.125"], ["rival 2", "1"],
    ]  # fmt: skip
    assert [row[:5] for row in compared] == [
        ["response", "rival 1", "1", "4", ""],
        ["response", "rival 2", "0.625", "4", "disagree"],
        ["rival 1", "rival 2", "none", "3", ""],
    ]
    assert PWN in compared[2][5]
    for said in ("compare 0a1b", "judge model", "reward model", "scalar"):
        assert said in tab.text("#detail")
    tab.quiet()


def test_keys_links_and_ids_that_repeat(tab: Tab) -> None:
    tab.open()
    assert tab.text("h2") == "right-1"
    tab.keys("j")
    assert tab.text("h2") == "wrong-1"
    assert tab.js("location.hash") == "#id=wrong-1"
    assert tab.js("document.querySelector('[aria-selected=true]').id") == "row-1"
    tab.keys("k", "k")
    assert tab.text("h2") == "right-1"
    tab.keys("/")
    assert tab.js("document.activeElement.id") == "search"
    tab.keys("j")
    assert tab.find("#search").get_property("value") == "j"
    tab.open("#id=bad-1")
    assert "math.gold: empty" in tab.text("#detail")
    assert "reward none" in tab.text("#detail")
    tab.keys("j")
    assert tab.js("location.hash") == "#id=bad-1&at=6"
    tab.open("#id=bad-1&at=6")
    assert "TIMEOUT" in tab.text("#detail")
    tab.open("#at=7")
    assert tab.text("h2") == "(no id)"


def test_hostile_texts_stay_texts(tab: Tab) -> None:
    for scheme in ("light", "dark"):
        tab.look(1280, scheme)
        tab.open("#at=4")
        tab.js("document.querySelectorAll('main details').forEach((n) => { n.open = true; })")
        detail = tab.text("#detail")
        assert f"</script><script>{PWN}</script><img src=x" in detail
        for seen in ("U+202E", "U+2028", "\\x00", "\\x1b", "show more", "😀"):
            assert seen in detail
        for hidden in "\u202e\u202c\u2028\x00\x1b":
            assert hidden not in detail
            assert hidden not in tab.text("#list")
        assert tab.js("document.querySelectorAll('img, script:not([type]), b *').length") == 1
        assert len(detail) < 200_000
        while tab.js("document.querySelector('#program button') !== null"):
            tab.js("document.querySelector('#program button').click()")
        assert f"cut: the text has {len(HOSTILE) + 1_000_000:,} characters" in tab.text("#program")
    tab.open("#id=" + "%F0%9F".join(["a"] * 3))  # a link to nothing, and no UTF-8


def test_no_verdicts(tab: Tab) -> None:
    tab.file.write_text(render([]))
    tab.open()
    assert "mean reward none" in tab.text("#summary")
    assert tab.text("#count") == "0 of 0 shown"


def test_differences_give_back_both_sides(browser: Any, tmp_path: Path) -> None:
    import random

    chance = random.Random(7)
    tests = []
    for _ in range(150):
        sides = ["".join(chance.choices("ab \n\t", k=chance.randrange(1, 40))) for _ in "ab"]
        tests.append(pb.TestResult(reason="wrong_answer", expected=sides[0], got=sides[1]))
    file = tmp_path / "page.html"
    file.write_text(render([code_verdict("a", code={"tests": tests})]))
    tab = Tab(browser, file).open()
    tab.js("document.querySelectorAll('.test').forEach((n) => { n.open = true; })")
    wait_for(lambda: tab.js("document.querySelectorAll('.diff').length") == len(tests), 60)
    views = tab.js(
        "[...document.querySelectorAll('.diff')].map((d) => [...d.children].map((n) => [n.className, n.textContent]))"
    )
    assert len(views) == len(tests)

    def bare(text: str) -> str:
        return re.sub(r"[\n↵]", "", text.replace("·", " ").replace("→", "\t"))

    for view, test in zip(views, tests, strict=True):
        if any(name == "gap" for name, _ in view):
            continue
        assert "".join(bare(text) for name, text in view if name != "add") == bare(test.expected)
        assert "".join(bare(text) for name, text in view if name != "del") == bare(test.got)
    tab.quiet()


def test_large_page(browser: Any, tmp_path: Path) -> None:
    many = [
        pb.Verdict(id=f"item-{n}", status=pb.Verdict.OK, reward=n % 2, parts=[part(n % 2, "match")])
        for n in range(20_000)
    ]
    file = tmp_path / "page.html"
    file.write_text(render(many))
    tab = Tab(browser, file).open("#id=item-15000")
    assert tab.text("#count") == "20,000 of 20,000 shown"
    assert len(tab.texts(".row")) < 100
    assert "item-15000" in tab.texts(".row .id")
    tab.js("document.querySelector('#list').scrollTo(0, 1e7)")
    wait_for(lambda: "item-19999" in tab.texts(".row .id"), 60)
    tab.quiet()


SHOTS = 20


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 700])
def test_what_it_looks_like(tab: Tab, width: int, scheme: str) -> None:
    image = pytest.importorskip("PIL.Image")
    tab.look(width, scheme)
    tab.open("#id=wrong-1")
    for _ in range(SHOTS):  # what is on the screen follows what is in the page
        tab.js("document.querySelector('.diff').scrollIntoView({block: 'center'})")
        time.sleep(0.2)
        shot = image.open(io.BytesIO(tab.browser.get_screenshot_as_png())).convert("RGB")
        assert shot.size == (width, 850)
        colours = {colour: n for n, colour in shot.getcolors(1 << 20)}
        share = {
            name: colours.get(colour, 0) / (width * 850) for name, colour in PALETTE[scheme].items()
        }
        if min(share.values()) > 0.0003:
            break
    assert share["back"] > 0.3, share
    assert min(share.values()) > 0.0003, share
    assert len(colours) > 100  # smoothed text
    # The diff's own place shows its colours; nothing is wider than the window.
    box = tab.js(
        "(({x, y, width, height}) => [x, y, x + width, y + height])(document.querySelector('.diff').getBoundingClientRect())"
    )
    inside = {colour for _, colour in shot.crop(tuple(map(round, box))).getcolors(1 << 20)}
    assert {PALETTE[scheme]["add"], PALETTE[scheme]["del"]} <= inside
    assert tab.js("document.documentElement.scrollWidth") <= width
    assert tab.js(
        "document.querySelector('#detail').scrollWidth <= document.querySelector('#detail').clientWidth"
    )


PALETTE = {
    "light": {
        "back": (255, 255, 255),
        "panel": (246, 247, 249),
        "selected": (221, 233, 251),
        "add": (227, 244, 230),
        "del": (252, 232, 230),
    },
    "dark": {
        "back": (20, 23, 27),
        "panel": (27, 31, 37),
        "selected": (32, 52, 79),
        "add": (21, 48, 29),
        "del": (58, 26, 26),
    },
}
