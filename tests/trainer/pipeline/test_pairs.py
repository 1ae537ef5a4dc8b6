"""Preference pairs and labels of safety, by a scripted judge behind the real service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from tests.trainer.pipeline.phrases import Case, phrase_model, problems, read, write
from tests.verifier.judge.server import ChatServer, Play, Request, error, says
from trainer.data import DataError
from trainer.pipeline.config import Stage
from trainer.pipeline.stage import Service, Settings, StageFailed
from trainer.pipeline.stages.pairs import margin, view
from trainer.preference_data import Conversations
from trainer.tokens import Tokenizer
from verifier.embedded import EmbeddedServer

PHRASES = (
    "<think>Hm.</think>Gladly: rain falls on the sea.",
    "<think>Well.</think>It is raining on the sea now.",
    "<think>Oh.</think>Go away, I will not do that!!",
    "<think>Why?</think>No.",
    "<think>It goes on",
)
SAMPLING = {
    "samples": 32, "max_new_tokens": 3, "template": "none", "dtype": "float32", "chunk": 4,
    "max_prompt_tokens": 99,
}  # fmt: skip
TABLE = {"kind": "pairs", "mode": "helpful", "data": ["requests"], "model": "chat",
         "sampling": SAMPLING}  # fmt: skip


def likes(request: Request) -> Play:
    """Politeness most, rudeness least; of two such a clear verdict, of others a slight one."""
    text = request.body["messages"][-1]["content"]
    if "Answer A:" not in text:
        grade = "unsafe" if "Go away" in text else "safe"
        return says(json.dumps({"analysis": "seen", "safety": grade}))
    if "Lot 7" in text:
        return error(400, "no")
    a, b = text.partition("Answer A:")[2].split("Answer B:", 1)
    first, second = (2 * ("Gladly" in one) - ("Go away" in one) for one in (a, b))
    sign = ">>" if abs(first - second) > 1 else ">"
    verdict = "A=B" if first == second else f"A{sign}B" if first > second else f"B{sign}A"
    return says(json.dumps({"analysis": "seen", "verdict": verdict}))


@pytest.fixture(scope="module")
def judge() -> Iterator[ChatServer]:
    with ChatServer(likes) as server:
        yield server


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory, judge: ChatServer) -> Iterator[Case]:
    folder = tmp_path_factory.mktemp("pairs")
    settings = folder / "judge.toml"
    settings.write_text(
        f'canary_share = 0.0\n[[endpoints]]\nurl = "{judge.url}"\nmodel = "judge"\n'
        f'[cache]\npath = "{folder / "judge.sqlite"}"\n'
    )
    inputs = {
        "data.0": problems(folder / "requests.jsonl", 12),
        "model": phrase_model(folder / "model", PHRASES),
    }
    with EmbeddedServer("--log-level", "warning", "--judge", str(settings)) as server:
        yield Case(TABLE, inputs, server.address)


@pytest.fixture(scope="module")
def unbroken(case: Case, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    directory = tmp_path_factory.mktemp("unbroken")
    return directory, case.run(directory)


def test_clear_preferences_between_summaries_of_like_length_are_kept(
    unbroken: tuple[Path, dict[str, Any]],
) -> None:
    directory, counts = unbroken
    rows = read(directory / "data.jsonl")
    assert counts["responses"] == 384
    assert counts["kept"] == len(rows) > 0
    assert counts["kept"] + sum(counts["rejected"].values()) == 192
    assert set(counts["rejected"]) >= {"close", "lengths", "no_summary", "cut_off"}
    for row in rows:
        assert row["margin"] > 1
        assert "Gladly" in row["chosen"]
        assert "think" not in row["chosen"] + row["rejected"]
        assert len(row["chosen"]) <= 2 * len(row["rejected"]) <= 4 * len(row["chosen"])
        assert row["messages"][0]["content"].startswith("Lot ")
    assert len({row["id"] for row in rows}) == len(rows)


def test_a_judge_that_fails_is_no_preference(case: Case, tmp_path: Path) -> None:
    rows = [
        {"prompt": prompt, "responses": ["Gladly: la, la, la.", "Go away, I am busy."]}
        for prompt in ("Lot 7: sing", "Sing")
    ]
    inputs = {"data.0": write(tmp_path / "given.jsonl", rows)}
    told = Case({"kind": "pairs", "mode": "helpful", "data": ["g"]}, inputs, case.address)
    assert told.run(tmp_path / "stage")["kept"] == 1
    [failed] = read(tmp_path / "stage" / "rejected.jsonl")
    assert failed["reason"] == "no_verdict"
    assert failed["detail"].startswith("JUDGE_ERROR: ")
    assert failed["prompt"] == "Lot 7: sing"


@pytest.mark.parametrize("write", [1, 3])
def test_killed_it_goes_on_to_the_same_bytes(
    case: Case, unbroken: tuple[Path, dict[str, Any]], tmp_path: Path, write: int
) -> None:
    # Three chunks of samples, one of verdicts; then the outputs.
    case.killed(tmp_path, write)
    assert case.run(tmp_path) == unbroken[1]
    assert case.outputs(tmp_path) == case.outputs(unbroken[0])


def test_the_margin_must_be_above_the_least(case: Case, tmp_path: Path) -> None:
    """A>B in all four queries is a margin of exactly 1, which the paper does not keep."""
    rows = [{"id": "a", "prompt": "Sing", "responses": ["I sing. Gladly.", "I sing a song."]},
            {"prompt": "Shout", "responses": ["Go away, you there!", "A shout, as you wish."]}]  # fmt: skip
    inputs = {"data.0": write(tmp_path / "given.jsonl", rows)}
    table = {"kind": "pairs", "mode": "helpful", "data": ["given"]}
    counts = Case(table, inputs, case.address).run(tmp_path / "strict")
    assert counts["kept"] == 1
    counts = Case({**table, "min_margin": 0.9}, inputs, case.address).run(tmp_path / "loose")
    assert counts["kept"] == 2
    found = {row["id"]: row for row in read(tmp_path / "loose" / "data.jsonl")}
    assert found["line 2#0"]["margin"] == 1.0
    assert found["line 2#0"]["rejected"] == "Go away, you there!"


def test_half_of_the_queries_have_the_other_side_first(
    case: Case, judge: ChatServer, tmp_path: Path
) -> None:
    rows = [{"prompt": "Sing a high note", "responses": ["Gladly: aah, aah.", "Go away, no aah"]}]
    inputs = {"data.0": write(tmp_path / "given.jsonl", rows)}
    before = len(judge.requests)
    Case({"kind": "pairs", "mode": "helpful", "data": ["g"]}, inputs, case.address).run(
        tmp_path / "stage"
    )
    asked = [one.body["messages"][-1]["content"] for one in judge.requests[before:]]
    assert len(asked) == 4
    firsts = [
        "Gladly" in text.partition("Answer A:")[2].partition("Answer B:")[0] for text in asked
    ]
    assert sorted(firsts) == [False, False, True, True]


def test_labels_are_of_whole_responses(case: Case, tmp_path: Path) -> None:
    told = replace(case, table={**TABLE, "mode": "harmless"})
    counts = told.run(tmp_path)
    rows = read(tmp_path / "data.jsonl")
    assert counts["kept"] == len(rows) == counts["safe"] + counts["unsafe"]
    assert {row["label"] for row in rows} == {0, 1}
    for row in rows:
        assert row["label"] == ("Go away" not in row["response"])
    assert any(row["response"].startswith("<think>") for row in rows)
    pairs = {(row["messages"][0]["content"], row["response"]) for row in rows}
    assert len(pairs) == len(rows)


def test_reward_models_read_the_rows(unbroken: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    model = phrase_model(tmp_path / "model", PHRASES)
    (model / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|end|>", "unk_token": "?",
        "chat_template": "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}",
    }))  # fmt: skip
    read_row = Conversations(Tokenizer(model), "pairwise")
    for row in read(unbroken[0] / "data.jsonl"):
        assert len(read_row(row).conversations) == 2


def test_tables_that_make_no_sense_are_refused(case: Case) -> None:
    stage: Any = TypeAdapter(Stage)
    odd = stage.validate_python({**TABLE, "sampling": {"samples": 3}})
    found = list(odd.check(Settings(0, "", 1, Service(), None)))
    assert found == [
        "service.judge: a judge is wanted (docs/judge.md)",
        "sampling.samples: an even number is wanted, got 3",
    ]


def test_no_pair_left_says_so(case: Case, tmp_path: Path) -> None:
    rows = [{"prompt": "Sing", "responses": ["La.", "la."]}]
    inputs = {"data.0": write(tmp_path / "given.jsonl", rows)}
    told = Case({"kind": "pairs", "mode": "helpful", "data": ["g"]}, inputs, case.address)
    with pytest.raises(StageFailed, match=r"nothing is kept: same 1; .*rejected\.jsonl has"):
        told.run(tmp_path / "stage")
    assert [row["reason"] for row in read(tmp_path / "stage" / "rejected.jsonl")] == ["same"]


@given(st.floats(0, 1))
def test_the_scale_of_margins(score: float) -> None:
    assert margin(score) == pytest.approx(-margin(1 - score))
    assert (margin(0), margin(0.25), margin(0.5), margin(1)) == (-2, -1, 0, 2)


@pytest.mark.parametrize(("response", "seen"), [
    ("<think>a</think> b ", "b"), ("a</think>b</think>c", "c"), (" plain ", "plain"),
    ("<think>a", ""), ("<think>a</think> <answer> b </answer>", "b"),
])  # fmt: skip
def test_helpfulness_sees_the_final_summary(response: str, seen: str) -> None:
    assert view(response) == seen


def test_responses_without_another_are_counted_and_ids_must_differ(
    case: Case, tmp_path: Path
) -> None:
    rows = [
        {"id": "a", "prompt": "Sing", "responses": ["Gladly: la.", "Go away, la.", "A third, la."]},
        {"id": "b", "prompt": "Dance", "responses": ["Gladly: hop."]},
    ]
    table = {"kind": "pairs", "mode": "helpful", "data": ["given"]}
    inputs = {"data.0": write(tmp_path / "given.jsonl", rows)}
    counts = Case(table, inputs, case.address).run(tmp_path / "odd")
    assert (counts["kept"], counts["rejected"]) == (1, {"no_other": 2})
    assert [row["id"] for row in read(tmp_path / "odd" / "rejected.jsonl")] == ["a#2", "b#0"]
    twice = {"data.0": write(tmp_path / "twice.jsonl", [rows[0], rows[0]])}
    with pytest.raises(DataError, match="id 'a' is that of 2 rows"):
        Case(table, twice, case.address).run(tmp_path / "twice")
    none = {"data.0": write(tmp_path / "none.jsonl", [{"prompt": "Sing", "responses": []}])}
    with pytest.raises(DataError, match="line 1: prompt, a text, and responses, one or more"):
        Case(table, none, case.address).run(tmp_path / "none")
