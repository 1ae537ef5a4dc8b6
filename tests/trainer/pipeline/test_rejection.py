"""Rejection sampling with a real model and a real service."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.trainer.pipeline.phrases import (
    PHRASES,
    RIGHT,
    Case,
    phrase_model,
    problems,
    read,
    write,
)
from tests.verifier.judge.server import ChatServer, Play, Request, says
from trainer.data import DataError
from trainer.pipeline.stage import StageFailed
from verifier.embedded import EmbeddedServer

TABLE = {
    "kind": "rejection",
    "model": "base",
    "data": ["problems"],
    "sampling": {
        "samples": 16, "max_new_tokens": 3, "template": "none", "dtype": "float32", "chunk": 3,
        "max_prompt_tokens": 128,
    },
}  # fmt: skip
GENERAL = [
    {"id": "a", "prompt": "Say hello", "completion": "Hello!", "language": "en"},
    {"messages": [{"role": "user", "content": "Hm"}, {"role": "assistant", "content": "Yes?"}]},
    {"prompt": "Write a line", "completion": "A line.", "thinking": "One line will do."},
    {"prompt": "Plan a day", "completion": "Get up.", "thinking": True, "category": "writing"},
]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory, server: EmbeddedServer) -> Case:
    folder = tmp_path_factory.mktemp("rejection")
    inputs = {
        "model": phrase_model(folder / "model", PHRASES),
        "data.0": problems(folder / "problems.jsonl"),
        "general": write(folder / "general.jsonl", GENERAL),
    }
    return Case(TABLE | {"general": "general", "ratio": 1.5}, inputs, server.address)


@pytest.fixture(scope="module")
def unbroken(case: Case, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    directory = tmp_path_factory.mktemp("unbroken")
    return directory, case.run(directory)


def test_every_sample_is_kept_or_has_a_reason(unbroken: tuple[Path, dict[str, Any]]) -> None:
    directory, counts = unbroken
    assert (
        counts["sampled"]
        == 12 * 16
        == counts["kept"]
        + sum(
            count
            for reason, count in counts["rejected"].items()
            if not reason.startswith("general_")
        )
    )
    assert counts == json.loads((directory / "counts.json").read_text())
    assert set(counts["rejected"]) >= {
        "wrong", "malformed", "mixed_languages", "code_in_thinking", "cut_off", "duplicate",
    }  # fmt: skip
    assert sum(counts["pass_rate"].values()) == counts["prompts"] == 12
    assert counts["by_domain"] == {"sums": {"sampled": 192, "kept": counts["kept"]}}
    examples = read(directory / "rejected.jsonl")
    shown = Counter(row["reason"] for row in examples)
    assert all(shown[reason] == min(5, n) for reason, n in counts["rejected"].items())
    code = next(row for row in examples if row["reason"] == "code_in_thinking")
    assert "```" in code["response"]
    assert "a code block opens" in code["detail"]


def test_what_is_kept_is_right_and_mixed_at_the_ratio(
    unbroken: tuple[Path, dict[str, Any]],
) -> None:
    directory, counts = unbroken
    rows = read(directory / "data.jsonl")
    assert rows == pq.read_table(directory / "data.parquet").to_pylist()
    by_source = Counter(row["source"] for row in rows)
    assert by_source == {"reasoning": 6, "general": 4}
    assert counts["rows"] == {"reasoning": 6, "general": 4}
    assert counts["left_out_of_the_mix"]["reasoning"] == counts["kept"] - 6
    said = {row["messages"][-1]["content"] for row in rows if row["source"] == "reasoning"}
    assert said
    assert all(text.startswith(PHRASES[:2]) for text in said)
    assert [row["source"] for row in rows] != sorted(row["source"] for row in rows)
    general = {row["id"]: row for row in rows if row["source"] == "general"}
    assert general["a"]["messages"][-1]["content"] == "<think>\n\n</think>Hello!"
    assert general["general-2"]["messages"][-1]["content"] == (
        "<think>One line will do.</think>A line."
    )
    assert general["general-3"]["domain"] == "writing"
    assert counts["general"] == {
        "given": 4, "clear": 4, "thoughts_wanted": 1, "thoughts_written": 0,
    }  # fmt: skip


@pytest.mark.parametrize("write", [0, 2, 5, 6])
def test_killed_it_goes_on_to_the_same_bytes(
    case: Case, unbroken: tuple[Path, dict[str, Any]], tmp_path: Path, write: int
) -> None:
    # Four chunks, data.jsonl, data.parquet, rejected.jsonl.
    case.killed(tmp_path, write)
    whole = [path for path in tmp_path.rglob("chunk-*") if not path.name.startswith(".")]
    assert len(whole) == min(write, 4)
    before = {path: path.stat().st_mtime_ns for path in whole}
    assert case.run(tmp_path) == unbroken[1]
    assert case.outputs(tmp_path) == case.outputs(unbroken[0])
    assert before == {path: path.stat().st_mtime_ns for path in whole}


def test_planted_benchmark_items_are_not_even_sampled(case: Case, tmp_path: Path) -> None:
    planted = "A farmer has 3 sheep and buys 4 more; how many sheep has the farmer now, all told?"
    rows = [
        *read(case.inputs["data.0"])[:2],
        {"id": "planted", "prompt": f"Think well. {planted.upper()}", "math": {"gold": ["7"]}},
    ]
    inputs = {
        **case.inputs,
        "data.0": write(tmp_path / "data.jsonl", rows),
        "general": write(
            tmp_path / "general.jsonl",
            [{"prompt": planted, "completion": "7"}, {"prompt": "hi", "completion": "hello"}],
        ),
        "against.0": write(tmp_path / "benchmark.jsonl", [{"question": planted}]),
    }
    table = {**case.table, "against": ["benchmark"], "ratio": 0.0}
    counts = Case(table, inputs, case.address).run(tmp_path / "stage")
    assert counts["sampled"] == 32
    assert counts["rejected"]["contaminated_prompt"] == 1
    assert counts["rejected"]["general_contaminated_prompt"] == 1
    examples = read(tmp_path / "stage" / "rejected.jsonl")
    [found] = [row for row in examples if row["reason"] == "contaminated_prompt"]
    assert found["id"] == "planted"
    assert found["detail"].startswith("benchmark.jsonl, line 1: ")
    assert all("sheep" not in json.dumps(row) for row in read(tmp_path / "stage" / "data.jsonl"))


def test_wanted_thoughts_are_written_by_the_refiner_once(case: Case, tmp_path: Path) -> None:
    def answer(request: Request) -> Any:
        [message] = request.body["messages"]
        assert message["content"].startswith("[task: write-reasoning]\n")
        assert "<question>\nPlan a day\n</question>" in message["content"]
        return says("\nA {reasoning} about days.\n")

    with ChatServer(answer) as chat:
        refiner = {"url": chat.url, "model": "writer"}
        told = Case({**case.table, "ratio": 0.0, "refiner": refiner}, case.inputs, case.address)
        assert told.run(tmp_path)["general"]["thoughts_written"] == 1
        rows = {row["id"]: row for row in read(tmp_path / "data.jsonl")}
        said = rows["general-3"]["messages"][-1]["content"]
        assert said == "<think>A {reasoning} about days.</think>Get up."
        told.run(tmp_path)
        assert len(chat.requests) == 1


def test_levels_of_difficulty_bound_what_easy_prompts_give(case: Case, tmp_path: Path) -> None:
    filters = {"levels": [{"up_to": 0.5, "per_prompt": 1, "share": 0.5}]}
    table = {**case.table, "filters": filters, "ratio": 0.0}
    counts = Case(table, case.inputs, case.address).run(tmp_path)
    rejected = counts["rejected"]
    over = rejected["over_share_of_level"]
    assert counts["kept"] + over <= 12 + 4 * counts["pass_rate"]["(0.5, 0.75]"]
    assert counts["kept"] + sum(rejected.values()) == 192


def test_nothing_kept_and_bad_rows_say_so(case: Case, tmp_path: Path) -> None:
    inputs = {"model": case.inputs["model"], "data.0": case.inputs["data.0"]}
    table = {**TABLE, "filters": {"format": "r1_zero"}}
    with pytest.raises(StageFailed, match="nothing is kept"):
        Case(table, inputs, case.address).run(tmp_path)
    twice = {**inputs, "data.1": inputs["data.0"]}
    with pytest.raises(DataError, match="'sum-0' is in an earlier file too"):
        Case({**TABLE, "data": ["a", "b"]}, twice, case.address).run(tmp_path)
    bad = {**case.inputs, "general": write(tmp_path / "bad", [{"messages": [{"role": "user"}]}])}
    with pytest.raises(DataError, match="line 1: messages"):
        Case({**TABLE, "general": "bad"}, bad, case.address).run(tmp_path / "other")


def test_the_pattern_of_the_paper(case: Case, tmp_path: Path) -> None:
    inputs = {"model": case.inputs["model"], "data.0": case.inputs["data.0"]}
    pattern = "|special_token|{reasoning}|special_token|{summary}"
    Case({**TABLE, "pattern": pattern}, inputs, case.address).run(tmp_path)
    said = {row["messages"][1]["content"] for row in read(tmp_path / "data.jsonl")}
    thought = RIGHT.removeprefix("<think>").removesuffix("</think>7")
    assert f"|special_token|{thought}|special_token|7" in said


def test_where_rules_cannot_tell_the_judge_does(case: Case, tmp_path: Path) -> None:
    def verdict(request: Request) -> Play:
        text = request.body["messages"][-1]["content"]
        right = "7" in text.rpartition("answer")[0] and "get eight" not in text
        told = {"analysis": "seen", "correctness": "correct" if right else "incorrect"}
        return says(json.dumps(told))

    rows = [
        {"id": f"lot-{n}", "prompt": f"Lot {n}: 3 + 4?", "language": "en",
         "judge": {"mode": "REFERENCE", "reference": "seven"}}
        for n in range(6)
    ]  # fmt: skip
    inputs = {**case.inputs, "data.0": write(tmp_path / "judged.jsonl", rows)}
    with ChatServer(verdict) as chat:
        settings = tmp_path / "judge.toml"
        settings.write_text(f'[[endpoints]]\nurl = "{chat.url}"\nmodel = "judge"\n')
        with EmbeddedServer("--log-level", "warning", "--judge", str(settings)) as server:
            told = Case({**case.table, "ratio": 0.0}, inputs, server.address)
            counts = told.run(tmp_path / "stage")
    assert chat.requests
    assert counts["rejected"]["wrong"] > 0
    said = [row["messages"][-1]["content"] for row in read(tmp_path / "stage" / "data.jsonl")]
    assert any(text.startswith(PHRASES[:2]) for text in said)
    assert not any("8" in text for text in said)


def test_a_general_row_cannot_bring_tags_of_its_own(case: Case, tmp_path: Path) -> None:
    for row, key in (
        ({"prompt": "Hi", "completion": "<think>So.</think>Hello"}, "the answer"),
        ({"prompt": "Hi", "completion": "Hello", "thinking": "So.</think>"}, "thinking"),
    ):
        given = {**case.inputs, "general": write(tmp_path / "bad.jsonl", [row])}
        with pytest.raises(DataError, match=f"line 1: {key}: no <think> and </think> are wanted"):
            Case(case.table, given, case.address).run(tmp_path / "stage")


def test_a_thought_with_tags_is_not_taken_from_the_refiner(case: Case, tmp_path: Path) -> None:
    with ChatServer(lambda _: says("<think>So.</think>I plan it.")) as chat:
        told = {**case.table, "ratio": 0.0, "refiner": {"url": chat.url, "model": "m"}}
        counts = Case(told, case.inputs, case.address).run(tmp_path)
    assert counts["general"]["thoughts_written"] == 0
    said = {row["messages"][-1]["content"] for row in read(tmp_path / "data.jsonl")}
    assert "<think>\n\n</think>Get up." in said


def test_an_empty_mix_is_no_stage(case: Case, tmp_path: Path) -> None:
    rows = [{"prompt": "How much is it?", "completion": "Seven."}]
    questions = write(tmp_path / "questions.jsonl", [{"question": "How much is it?"}])
    inputs = {
        **case.inputs, "general": write(tmp_path / "general.jsonl", rows), "against.0": questions,
    }  # fmt: skip
    with pytest.raises(StageFailed, match=r"^ratio: of no general rows there is no multiple"):
        Case({**case.table, "against": ["q"]}, inputs, case.address).run(tmp_path / "stage")
