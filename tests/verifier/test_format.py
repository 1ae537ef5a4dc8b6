from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.test_length import steps
from verifier import format
from verifier.format import Fault, Style, chain_of_thought, check, summary
from verifier.math.extract import extract
from verifier.v1 import verifier_pb2 as pb

GOOD = "<think>two and two</think> <answer>4</answer>"
TAGS = {"tags": "plan,work,answer"}
PLAN = "<plan>add</plan><work>2+2</work><answer>4</answer>"
TOKEN = "|special_token|"
OPTIONS = {Style.TAGS: TAGS}

OK = Fault.NONE
MISSING = Fault.MISSING_TAG
REPEATED = Fault.REPEATED_TAG
ORDER = Fault.WRONG_ORDER
OUTSIDE = Fault.TEXT_OUTSIDE
EMPTY = Fault.EMPTY_SECTION
NO_BOX = Fault.NO_BOXED
EMPTY_BOX = Fault.EMPTY_BOXED

R1_ZERO = [
    (GOOD, OK),
    ("\n" + GOOD + "\n", OK),
    ("<think>a</think><answer>4</answer>", OK),
    ("<think>\na\n\nb\n</think>\n\n<answer>\n4\n</answer>\n\n\n", OK),
    ("\t<think>a</think>\r\n<answer>4</answer>\x0b\x0c", OK),
    ("\u3000<think>答</think>\u00a0<answer>四</answer>\u2028", OK),
    # Invisible characters are nothing, outside and inside.
    ("\ufeff<think>a</think>\u200b<answer>4</answer>\u2060", OK),
    ("<think>\u200b\u200d</think><answer>4</answer>", EMPTY),
    ("<think>a</think><answer>\u3164\u2800\ufe0f</answer>", EMPTY),
    ("<think>a</think><answer>\x00\x07</answer>", EMPTY),
    ("<think>a</think><answer>\u200b4</answer>", OK),
    # Missing.
    ("", MISSING),
    ("4", MISSING),
    (" \n", MISSING),
    ("<think>a</think>", MISSING),
    ("<think>a</think>4", MISSING),
    ("<think>a</think><answer>4", MISSING),
    ("<think>a<answer>4</answer>", MISSING),
    ("a</think><answer>4</answer>", MISSING),
    ("<think>a</think>4</answer>", MISSING),
    ("<answer>4</answer>", MISSING),
    ("<think>a</think></think><answer>4", MISSING),
    ("<think></think><answer></answer", MISSING),
    # Repeated.
    (GOOD + GOOD, REPEATED),
    ("<think>a<think>b</think><answer>4</answer>", REPEATED),
    ("<think>a</think></think><answer>4</answer>", REPEATED),
    ("<think>a</think><answer>4</answer><answer>5</answer>", REPEATED),
    ("<think>a</think><answer>4</answer></answer>", REPEATED),
    ("<think><think>a</think></think><answer>4</answer>", REPEATED),
    ("<think>a</think><think>b</think><answer>4</answer>", REPEATED),
    # Wrong order, nested.
    ("<answer>4</answer><think>a</think>", ORDER),
    ("<think>a<answer>4</answer></think>", ORDER),
    ("<answer><think>a</think>4</answer>", ORDER),
    ("</think>a<think><answer>4</answer>", ORDER),
    ("<think>a</think></answer>4<answer>", ORDER),
    ("<think>a<answer></think>4</answer>", ORDER),
    ("</answer></think><answer><think>", ORDER),
    # Outside.
    ("Sure! " + GOOD, OUTSIDE),
    (GOOD + " Hope this helps.", OUTSIDE),
    (GOOD + ".", OUTSIDE),
    ("<think>a</think> so <answer>4</answer>", OUTSIDE),
    ("```\n" + GOOD + "\n```", OUTSIDE),
    ("<" + GOOD + ">", OUTSIDE),
    (GOOD + "<|im_end|>", OUTSIDE),
    ("**" + GOOD, OUTSIDE),
    # Empty.
    ("<think> </think><answer>4</answer>", EMPTY),
    ("<think>a</think><answer>\n</answer>", EMPTY),
    ("<think></think><answer></answer>", EMPTY),
    ("<think>\u3000</think><answer>4</answer>", EMPTY),
    # A tag is its exact characters; all else is text.
    ("<Think>a</Think><answer>4</answer>", MISSING),
    ("<THINK>a</THINK><ANSWER>4</ANSWER>", MISSING),
    ("<think>a</Think><answer>4</answer>", MISSING),
    ("<think >a</think><answer>4</answer>", MISSING),
    ("< think>a</think><answer>4</answer>", MISSING),
    ("<think>a</ think><answer>4</answer>", MISSING),
    ("<think\n>a</think><answer>4</answer>", MISSING),
    ('<think>a</think><answer lang="en">4</answer>', MISSING),
    ('<think id="1">a</think><answer>4</answer>', MISSING),
    ("<think/>a</think><answer>4</answer>", MISSING),
    ("＜think＞a＜/think＞＜answer＞4＜/answer＞", MISSING),
    ("<think>a</think>＜answer＞4＜/answer＞", MISSING),
    ("<th\u200dink>a</think><answer>4</answer>", MISSING),
    ("<think\u200b>a</think><answer>4</answer>", MISSING),
    ("<think>a</think><\u2060answer>4</answer>", MISSING),
    ("<thіnk>a</think><answer>4</answer>", MISSING),  # Cyrillic і
    ("<think>a<\u2215think><answer>4</answer>", MISSING),
    ("‹think›a‹/think›<answer>4</answer>", MISSING),
    ("[think]a[/think][answer]4[/answer]", MISSING),
    ("&lt;think&gt;a&lt;/think&gt;<answer>4</answer>", MISSING),
    ("<thinking>a</thinking><answer>4</answer>", MISSING),
    ("<think>a</think><final>4</final>", MISSING),
    ("<think>a < b, <b>bold</b>, <Think> and </ANSWER></think><answer>4</answer>", OK),
    ("<think>a<think x></think><answer><answer/>4</answer>", OK),
    ("<think>a</think><answer>&lt;/answer&gt;</answer>", OK),
    # Tags in code, LaTeX and quotes count.
    ("<think>`</think>` ends it</think><answer>4</answer>", REPEATED),
    ("<think>```html\n<answer>\n```</think><answer>4</answer>", REPEATED),
    ("<think>a</think><answer>$\\text{<think>}$</answer>", REPEATED),
    ("<think>they say '<answer>4</answer>'</think>", ORDER),
    ("<think>a</think><answer>```python\nprint(4)\n```</answer>", OK),
    ("<think>a $x<y$</think><answer>\\boxed{4}</answer>", OK),
]

R1 = [
    ("<think>a</think>The answer is 4.", OK),
    ("a</think>The answer is 4.", OK),
    ("\n\na\n</think>\n\nThe answer is 4.\n", OK),
    ("\ufeff <think>a</think>b", OK),
    (GOOD, OK),
    ("<think>a</think><answer>4</answer><answer>5</answer>", OK),
    ("<think>a<answer>4</answer></think>b", OK),
    ("<think>a <THINK> <think x> </ think></think>b", OK),
    ("<think>`<think />`</think>b", OK),
    ("<think>a", MISSING),
    ("The answer is 4.", MISSING),
    ("", MISSING),
    ("<think>a</Think>b", MISSING),
    ("<think>a</think >b", MISSING),
    ("<think>a＜/think＞b", MISSING),
    ("<think>a</th\u200bink>b", MISSING),
    ("<think>a<think>b", MISSING),
    ("<think>a</think>b</think>c", REPEATED),
    ("a</think></think>c", REPEATED),
    ("<think><think>a</think>b", REPEATED),
    ("<think>a</think>b<think>", REPEATED),
    ("<think>a</think>quoting `</think>`", REPEATED),
    ("a</think>```\n<think>\n</think>\n```", REPEATED),
    ("</think><think>", ORDER),
    ("a</think><think>b", ORDER),
    ("a</think>b `<think>`", ORDER),
    ("Hm. <think>a</think>b", OUTSIDE),
    ("<Think><think>a</think>b", OUTSIDE),
    ("<think></think>b", EMPTY),
    ("</think>b", EMPTY),
    (" \u200b</think>b", EMPTY),
    ("<think>a</think> ", EMPTY),
    ("a</think>", EMPTY),
    ("a</think>\u2060\n", EMPTY),
]

SPECIAL = [
    (f"{TOKEN}a{TOKEN}b", OK),
    (f" \n{TOKEN}\na\n{TOKEN}\nb\n", OK),
    (f"{TOKEN}<think>a</think>{TOKEN}b", OK),
    (f"{TOKEN}a | b || c special_token{TOKEN}b", OK),
    (f"{TOKEN}a |Special_token| |special_token |{TOKEN}b", OK),
    ("", MISSING),
    ("b", MISSING),
    (f"{TOKEN}a", MISSING),
    (f"a{TOKEN}b", MISSING),
    (f"{TOKEN}a|special\u200b_token|b", MISSING),
    (f"{TOKEN}a｜special_token｜b", MISSING),
    (f"{TOKEN}a|SPECIAL_TOKEN|b", MISSING),
    (f"{TOKEN}a| special_token |b", MISSING),
    ("<|special_token>a<special_token|>b", MISSING),
    (f"{TOKEN}a{TOKEN}b{TOKEN}", REPEATED),
    (f"{TOKEN}a{TOKEN}`{TOKEN}`", REPEATED),
    (f"{TOKEN}a|special_token|special_token|b", REPEATED),  # two that share a bar
    (f"a{TOKEN}{TOKEN}{TOKEN}{TOKEN}", REPEATED),
    (f"Sure: {TOKEN}a{TOKEN}b", OUTSIDE),
    (f"<think>{TOKEN}a{TOKEN}b", OUTSIDE),
    (f"{TOKEN}{TOKEN}b", EMPTY),
    ("|special_token|special_token|b", EMPTY),
    (f"{TOKEN} \u200b{TOKEN}b", EMPTY),
    (f"{TOKEN}a{TOKEN}", EMPTY),
    (f"{TOKEN}a{TOKEN} \n", EMPTY),
]

BOXED = [
    ("\\boxed{4}", OK),
    ("So $\\boxed{4}$.", OK),
    ("<think>a</think>So \\boxed{4}", OK),
    ("a</think>\\[\\boxed{\\frac{1}{2}}\\]", OK),
    ("\\boxed {4}", OK),
    ("\\boxed\n{4}", OK),
    ("\\boxed{4} or \\boxed{5}", OK),
    ("\\boxed{\\boxed{4}}", OK),
    ("\\boxed{\\{1, 2\\}}", OK),
    ("\\boxed{\\left(0, 1\\right]}", OK),
    ("\\boxed{\\text{yes}}", OK),
    ("\\boxed{四}", OK),
    ("\\boxed{0}", OK),
    ("\\boxed{\\}}", OK),
    ("\\\\boxed{4}", OK),  # escaped twice
    ("a \\\\\\boxed{4}", OK),  # after a line break of LaTeX
    ("```latex\n\\boxed{4}\n```", OK),
    ("{ \\boxed{4}", OK),
    ("} \\boxed{4} }", OK),
    ("\\boxed{4} and \\boxed{5", OK),  # cut off after an answer
    ("\\boxed{x = \\boxed{4}", OK),
    ("<think>\\boxed{}</think>\\boxed{4}", OK),
    ("<think>a</think>\\boxed{4}</think>\\boxed{5}", OK),
    ("", NO_BOX),
    ("4", NO_BOX),
    ("boxed{4}", NO_BOX),
    ("\\boxed", NO_BOX),
    ("\\boxed4", NO_BOX),
    ("\\boxed 4", NO_BOX),
    ("\\boxed(4)", NO_BOX),
    ("\\boxed{4", NO_BOX),
    ("\\boxed{{4}", NO_BOX),
    ("\\boxed{4\\}", NO_BOX),
    ("\\boxed}4{", NO_BOX),
    ("\\Boxed{4}", NO_BOX),
    ("\\BOXED{4}", NO_BOX),
    ("\\fbox{4}", NO_BOX),
    ("\\boxedx{4}", NO_BOX),
    ("/boxed{4}", NO_BOX),
    ("＼boxed{4}", NO_BOX),
    ("\\boxed｛4｝", NO_BOX),
    ("\\box\u200ded{4}", NO_BOX),
    ("\\boxed\u200b{4}", NO_BOX),
    ("\\bоxed{4}", NO_BOX),  # Cyrillic о
    ("<think>\\boxed{4}", NO_BOX),  # the thinking never ended
    ("<think>\\boxed{4}</think>It is 4.", NO_BOX),
    ("\\boxed{4}</think>", NO_BOX),
    ("<think>a</think>\\boxed{4}</think>It is 4.", NO_BOX),
    ("\\boxed{}", EMPTY_BOX),
    ("\\boxed{ \n}", EMPTY_BOX),
    ("\\boxed{\u200b\u3164}", EMPTY_BOX),
    ("\\boxed{{}}", EMPTY_BOX),
    ("\\boxed{\\boxed{}}", EMPTY_BOX),
    ("\\boxed{$$}", EMPTY_BOX),
    ("\\boxed{\\text{ }}", EMPTY_BOX),
    ("\\boxed{\\mathrm{\\,\\quad~}}", EMPTY_BOX),
    ("\\boxed{4} no: \\boxed{}", EMPTY_BOX),
    ("<think>\\boxed{4}</think>\\boxed{}", EMPTY_BOX),
]

CUSTOM = [
    (PLAN, OK),
    ("\n<plan>a</plan>\n<work>b</work>\n<answer>c</answer>\n", OK),
    ("<plan>a</plan><work><think>b</think></work><answer>c</answer>", OK),
    ("<plan>a</plan><work>b <workshop> <Plan> <plan-b></work><answer>c</answer>", OK),
    ("", MISSING),
    (GOOD, MISSING),
    ("<plan>a</plan><answer>c</answer>", MISSING),
    ("<plan>a</plan><work>b</work><answer>c", MISSING),
    ("<PLAN>a</PLAN><work>b</work><answer>c</answer>", MISSING),
    ("<plan>a</plan><work >b</work><answer>c</answer>", MISSING),
    ("＜plan＞a</plan><work>b</work><answer>c</answer>", MISSING),
    (PLAN + PLAN, REPEATED),
    ("<plan>a</plan><work>b</work><work>b</work><answer>c</answer>", REPEATED),
    ("<plan>a</plan><work>`<plan>`</work><answer>c</answer>", REPEATED),
    ("<work>b</work><plan>a</plan><answer>c</answer>", ORDER),
    ("<plan>a<work>b</work></plan><answer>c</answer>", ORDER),
    ("<plan>a</plan><work>b<answer></work>c</answer>", ORDER),
    ("Plan: " + PLAN, OUTSIDE),
    ("<plan>a</plan>then<work>b</work><answer>c</answer>", OUTSIDE),
    ("<plan>a</plan><work>b</work>so<answer>c</answer>", OUTSIDE),
    (PLAN + "!", OUTSIDE),
    ("<plan></plan><work>b</work><answer>c</answer>", EMPTY),
    ("<plan>a</plan><work>\n\u200b</work><answer>c</answer>", EMPTY),
    ("<plan>a</plan><work>b</work><answer> </answer>", EMPTY),
]

CORPUS = [
    (style, response, fault)
    for style, cases in (
        (Style.R1_ZERO, R1_ZERO),
        (Style.R1, R1),
        (Style.SPECIAL_TOKEN, SPECIAL),
        (Style.BOXED, BOXED),
        (Style.TAGS, CUSTOM),
    )
    for response, fault in cases
]


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len({(style, response) for style, response, _ in CORPUS}) >= 200
    for style in Style:
        named = {fault for its, _, fault in CORPUS if its is style}
        assert len(named) >= (3 if style is Style.BOXED else 5)


@pytest.mark.parametrize(("style", "response", "fault"), CORPUS)
def test_corpus(style: Style, response: str, fault: Fault) -> None:
    layout = check(response, style, OPTIONS.get(style, {}))
    assert layout.fault is fault, layout.detail
    assert layout.score == (1.0 if fault is OK else 0.0)
    assert bool(layout.detail) == (fault is not OK)


def test_every_fault_is_a_reason_of_the_contract() -> None:
    for fault in Fault:
        assert pb.Part.Reason.Value(fault.value) > 0


@pytest.mark.parametrize(
    ("style", "response", "detail"),
    [
        (Style.R1_ZERO, "<think>a", "no </think>"),
        (Style.R1_ZERO, GOOD + GOOD, "2 times <think>"),
        (Style.R1_ZERO, "x" + GOOD, "text before <think>"),
        (Style.R1_ZERO, GOOD + "x", "text after </answer>"),
        (Style.TAGS, "<plan>a</plan>x<work>b</work><answer>c</answer>", "text between </plan> and <work>"),
        (Style.TAGS, "<plan>a</plan><work></work><answer>c</answer>", "<work> is empty"),
        (Style.R1, "a</think>", "the summary is empty"),
        (Style.SPECIAL_TOKEN, TOKEN, "1 times |special_token|, not 2"),
        (Style.SPECIAL_TOKEN, TOKEN * 9, "more than 2 times |special_token|, not 2"),
        (Style.BOXED, "\\boxed{4", "no \\boxed{...} is closed"),
        (Style.BOXED, "<think>\\boxed{4}", "the thinking never ended"),
        (Style.BOXED, "\\boxed{ }", "nothing in \\boxed{ }"),
    ],
)  # fmt: skip
def test_detail(style: Style, response: str, detail: str) -> None:
    assert check(response, style, OPTIONS.get(style, {})).detail == detail


@pytest.mark.parametrize(
    ("style", "response", "thinking", "answer"),
    [
        (Style.R1_ZERO, GOOD, "two and two", "4"),
        (Style.R1, "<think>a</think>b", "a", "b"),
        (Style.R1, "a</think>b", "a", "b"),
        (Style.SPECIAL_TOKEN, f"{TOKEN}a{TOKEN}b", "a", "b"),
        (Style.TAGS, PLAN, "add\n2+2", "4"),
        (Style.BOXED, "<think>a</think>\\boxed{1} \\boxed{\\frac{1}{2}}", "a", "\\frac{1}{2}"),
        (Style.BOXED, "\\boxed{x = \\boxed{4}}", None, "x = \\boxed{4}"),
        (Style.BOXED, "\\boxed{x = \\boxed{4}", None, "4"),
        (Style.BOXED, "\\boxed{4} and \\boxed{5", None, "4"),
    ],
)
def test_sections(style: Style, response: str, thinking: str | None, answer: str) -> None:
    layout = check(response, style, OPTIONS.get(style, {}))
    assert (layout.fault, layout.thinking, layout.answer) == (OK, thinking, answer)


def test_one_tag_has_no_thinking() -> None:
    layout = check(" <answer>4</answer>", Style.TAGS, {"tags": "answer"})
    assert (layout.fault, layout.thinking, layout.answer) == (OK, None, "4")


def test_tags_of_one_beginning() -> None:
    options = {"tags": "a,ab"}
    assert check("<a>1</a><ab>2</ab>", Style.TAGS, options).fault is OK
    assert check("<ab>1</ab><a>2</a>", Style.TAGS, options).fault is ORDER


def test_a_token_that_overlaps_itself_parts_once_or_not_at_all() -> None:
    options = {"token": "||"}
    assert check("||a||b", Style.SPECIAL_TOKEN, options).fault is OK
    assert check("||a|||b", Style.SPECIAL_TOKEN, options).fault is REPEATED


# ---------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("style", "options", "named"),
    [
        ("R1", {}, "options[style]: one of r1_zero, r1, special_token, boxed, tags, got 'R1'"),
        ("", {}, "options[style]"),
        ("x" * 1000, {}, "options[style]"),
        ("r1", {"tags": "a"}, "options[tags]: for style 'tags' alone"),
        ("tags", {"tags": "a", "token": "|"}, "options[token]: for style 'special_token' alone"),
        ("tags", {}, "options[tags]: required"),
        ("tags", {"tags": ""}, "options[tags]: names of a letter"),
        ("tags", {"tags": "a,,b"}, "got ''"),
        ("tags", {"tags": "a,b,"}, "got ''"),
        ("tags", {"tags": "a,b,a"}, "got 'a' 2 times"),
        ("tags", {"tags": "a b"}, "got 'a b'"),
        ("tags", {"tags": "<a>"}, "got '<a>'"),
        ("tags", {"tags": "1a"}, "got '1a'"),
        ("tags", {"tags": "a|b"}, "got 'a|b'"),
        ("tags", {"tags": "a\nb"}, "names of a letter"),
        ("tags", {"tags": ".*"}, "got '.*'"),
        ("tags", {"tags": "ä"}, "got 'ä'"),
        ("tags", {"tags": "a" * 33}, "at most 31 letters"),
        ("tags", {"tags": "a,b,c,d,e,f,g,h,i"}, "at most 8 names, got 9"),
        ("special_token", {"token": ""}, "options[token]"),
        ("special_token", {"token": " \u200b"}, "options[token]"),
        ("special_token", {"token": "x" * 65}, "1 to 64 characters"),
    ],
)
def test_refused_options(style: str, options: dict[str, str], named: str) -> None:
    found = format.problem(style, options)
    assert found is not None
    assert named in found
    assert len(found) < 250


@pytest.mark.parametrize(
    ("style", "options"),
    [
        *((style.value, {}) for style in Style if style is not Style.TAGS),
        ("tags", TAGS),
        ("tags", {"style": "tags", "tags": " plan , self-check_2 "}),
        ("tags", {"tags": "a,b,c,d,e,f,g,h"}),
        ("special_token", {"token": "<|think|>"}),
    ],
)
def test_accepted_options(style: str, options: dict[str, str]) -> None:
    assert format.problem(style, options) is None
    assert check("4", Style(style), options).score == 0.0
    assert format.OPTIONS.issuperset(options)


# ---------------------------------------------------------------- any text

_PIECES = st.lists(
    st.sampled_from(
        [
            *("<think>", "</think>", "<answer>", "</answer>", "<plan>", "</plan>", "<work>"),
            *("</work>", TOKEN, "|", "special_token|", "\\boxed{", "{", "}", "\\", "\\}", "<", ">"),
            *("a", " ", "\n", "\u200b", "＜think＞", "<Think>", "```", "$"),
        ]
    ),
    max_size=16,
)


def only_layout(response: str, marks: list[str]) -> bool:
    """By a search of its own: whether the marks part the response in one way."""
    if any(response.count(mark) != 1 for mark in marks):
        return False
    rest = response
    pieces = []
    for mark in marks:
        piece, found, rest = rest.partition(mark)
        if not found:
            return False
        pieces.append(piece)
    pieces.append(rest)
    visible = [bool(piece.replace("\u200b", "").strip()) for piece in pieces]
    return all(visible[1::2]) and not any(visible[::2])


@given(_PIECES)
def test_only_one_layout_is_well_formed(pieces: list[str]) -> None:
    response = "".join(pieces)
    for style, tags in ((Style.R1_ZERO, "think,answer"), (Style.TAGS, TAGS["tags"])):
        marks = [mark for tag in tags.split(",") for mark in (f"<{tag}>", f"</{tag}>")]
        layout = check(response, style, OPTIONS.get(style, {}))
        assert (layout.fault is OK) == only_layout(response, marks)


_SECTION = st.text(st.sampled_from("ab<>/| {}\\\n"), min_size=1).filter(str.strip)


@given(_SECTION, _SECTION, _SECTION)
def test_what_is_put_in_comes_out(plan: str, work: str, answer: str) -> None:
    layout = check(
        f"<plan>{plan}</plan> <work>{work}</work> <answer>{answer}</answer>", Style.TAGS, TAGS
    )
    assert layout == format.Layout(OK, "", f"{plan}\n{work}", answer)
    assert check(f"{plan}</think>{work}", Style.R1) == format.Layout(OK, "", plan, work)
    layout = check(f"{TOKEN}{plan}{TOKEN}{work}", Style.SPECIAL_TOKEN)
    assert layout == format.Layout(OK, "", plan, work)


_BALANCED = st.recursive(
    st.sampled_from(["a", "1", " ", "\\{", "\\}", "\\\\ ", "\\frac", "$"]),
    lambda inner: st.lists(inner, max_size=4).map("".join).map(lambda text: f"{{{text}}}"),
    max_leaves=12,
)


@given(_BALANCED, st.lists(_BALANCED, max_size=3).map("".join))
def test_a_box_around_balanced_text_is_found(content: str, around: str) -> None:
    layout = check(f"{around}\\boxed{{1{content}}}{around}", Style.BOXED)
    assert (layout.fault, layout.answer) == (OK, f"1{content}")


@given(st.lists(st.sampled_from(["<think>", "</think>", "\\boxed{", "{", "}", "4", "$", "\n"])))
def test_a_box_that_is_found_is_the_answer_that_is_extracted(pieces: list[str]) -> None:
    response = "".join(pieces)
    if check(response, Style.BOXED).fault is OK:
        found = extract(response)
        assert found is not None
        assert found.source == "boxed"
        assert found.text


@given(st.one_of(st.text(), _PIECES.map("".join)), st.sampled_from(Style))
def test_any_text_gets_an_answer(response: str, style: Style) -> None:
    layout = check(response, style, OPTIONS.get(style, {}))
    assert layout.score in (0.0, 1.0)
    if layout.fault is OK:
        assert layout.answer is not None
        assert layout.answer in response
        assert layout.answer.strip()
    assert len(layout.detail) < 250


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_options_are_refused_or_usable(tags: str, token: str) -> None:
    for style, options in ((Style.TAGS, {"tags": tags}), (Style.SPECIAL_TOKEN, {"token": token})):
        if format.problem(style.value, options) is None:
            assert check("4", style, options).score == 0.0


HOSTILE = [
    "<think>", "</think>", "</think><think>", "<answer>", "<plan>", "<", "</", "<think", "|", TOKEN,
    "|special_token", "{", "}", "\\boxed{", "\\boxed", "\\", "\\\\", "\\boxed{}", "\\boxed  ", " ",
    "\u200b", "$", "a",
]  # fmt: skip


@pytest.mark.parametrize("style", Style)
def test_time_is_linear_on_hostile_text(style: Style) -> None:
    for unit in HOSTILE:
        options = OPTIONS.get(style, {})
        small = steps(check, unit * 500, style, options)
        large = steps(check, unit * 2000, style, options)
        assert large <= 4 * small + 100, unit
        layout = check(unit * (2**20 // len(unit.encode())), style, options)
        expected = 1.0 if style is Style.BOXED and "boxed" in unit and layout.fault is OK else 0.0
        assert layout.score == expected


def test_nested_boxes_by_the_hundred_thousand() -> None:
    deep = 2**17
    layout = check("\\boxed{" * deep + "4" + "}" * deep, Style.BOXED)
    assert layout.fault is OK
    assert layout.answer is not None
    assert len(layout.answer) == (deep - 1) * 8 + 1
    assert check("\\boxed{" * deep + "}" * deep, Style.BOXED).fault is EMPTY_BOX


# ---------------------------------------------------------------- views


@pytest.mark.parametrize(
    ("response", "thought", "said"),
    [
        ("<think>a b</think>c", "a b", "c"),
        ("a b</think>c", "a b", "c"),
        ("a b c", "a b c", "a b c"),
        ("<think>never closed", "never closed", "<think>never closed"),
        ("<think>a</think>b</think>c", "a</think>b", "c"),
        ("a</think>", "a", ""),
        ("", "", ""),
    ],
)
def test_views(response: str, thought: str, said: str) -> None:
    assert chain_of_thought(response) == thought
    assert summary(response) == said
