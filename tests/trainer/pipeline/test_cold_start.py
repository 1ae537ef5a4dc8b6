"""Chains of thought in all four ways, with a real model, a real service and a scripted refiner."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.trainer.pipeline.phrases import (
    PHRASES,
    ZERO,
    Case,
    phrase_model,
    problems,
    read,
    write,
)
from tests.verifier.judge.server import ChatServer, Play, Request, error, says
from trainer.data import DataError
from trainer.log import RunError
from trainer.pipeline.stage import Service, Settings, StageFailed
from verifier.embedded import EmbeddedServer

SAMPLING = {
    "samples": 8, "max_new_tokens": 3, "dtype": "float32", "chunk": 4, "max_prompt_tokens": 999,
}  # fmt: skip
SHOWN = [
    {"prompt": "How much is 1 + 1?", "response": "<think> One, two. </think> <answer> 2 </answer>"},
    {"prompt": "How much is 2 + 2?", "response": "<think> Four. </think> <answer> {x} </answer>"},
]
TABLE = {
    "kind": "cold_start",
    "data": ["problems"],
    "few_shot": {"model": "base", "examples": "shown", "sampling": SAMPLING},
    "direct": {"model": "chat", "sampling": {**SAMPLING, "template": "none"}},
    "zero": {"model": "zero", "sampling": SAMPLING},
}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory, server: EmbeddedServer) -> Case:
    folder = tmp_path_factory.mktemp("cold")
    # A base model goes on with a question of its own.
    further = tuple(f"{text}\n\nQuestion: and" for text in ZERO[:3])
    inputs = {
        "model.few_shot": phrase_model(folder / "base", further),
        "model.direct": phrase_model(folder / "chat", PHRASES),
        "model.zero": phrase_model(folder / "zero", ZERO),
        "data.0": problems(folder / "problems.jsonl", 8),
        "examples": write(folder / "shown.jsonl", SHOWN),
    }
    return Case(TABLE, inputs, server.address)


@pytest.fixture(scope="module")
def unbroken(case: Case, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    directory = tmp_path_factory.mktemp("unbroken")
    return directory, case.run(directory)


def test_each_way_gives_right_readable_chains(unbroken: tuple[Path, dict[str, Any]]) -> None:
    directory, counts = unbroken
    rows = read(directory / "data.jsonl")
    assert rows == pq.read_table(directory / "data.parquet").to_pylist()
    by_source = Counter(row["source"] for row in rows)
    assert set(by_source) == {"few_shot", "direct", "zero"}
    for way, count in by_source.items():
        assert counts[way]["sampled"] == 64
        assert counts[way]["right"] >= counts[way]["fit"] >= counts[way]["kept"] == count
    assert counts["kept"] == len(rows)
    said = {row["source"]: row["messages"][1]["content"] for row in rows}
    assert said["zero"] == said["few_shot"] == "<think> I add them. </think> 7 "
    assert said["direct"].startswith(PHRASES[:2])
    assert all(row["language"] == "en" and row["domain"] == "sums" for row in rows)
    assert counts["rejected"]["mixed_languages"] > 0


def test_the_base_model_sees_the_examples_and_its_answer_ends_where_the_next_begins(
    case: Case, unbroken: tuple[Path, dict[str, Any]]
) -> None:
    samples = pq.read_table(unbroken[0] / "samples" / "few_shot").to_pylist()
    assert all("Question" not in row["response"] for row in samples)
    assert {row["finish"] for row in samples} >= {"stop"}
    stage: Any = case.stage()
    text, told = stage.few_shot.template(_work(case), None)
    assert text == (
        "Question: How much is 1 + 1?\n"
        "Response: <think> One, two. </think> <answer> 2 </answer>\n\n"
        "Question: How much is 2 + 2?\nResponse: <think> Four. </think> <answer> {x} </answer>\n\n"
        "Question: {prompt}\nResponse:"
    )
    assert told.stop_text == "\n\nQuestion:"


def _work(case: Case) -> Any:
    from trainer.pipeline.stage import Work

    return Work(Path("unused"), case.inputs, Settings(0, "", 1, Service(), None))


@pytest.mark.parametrize("write", [1, 3, 5, 9, 11])
def test_killed_it_goes_on_to_the_same_bytes(
    case: Case, unbroken: tuple[Path, dict[str, Any]], tmp_path: Path, write: int
) -> None:
    # Of each way two chunks of samples and one verified again; then the outputs.
    case.killed(tmp_path, write)
    assert case.run(tmp_path) == unbroken[1]
    assert case.outputs(tmp_path) == case.outputs(unbroken[0])


def test_what_people_edit_is_verified_and_is_the_last_word(
    case: Case, unbroken: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    review = {row["id"]: row for row in read(unbroken[0] / "review.jsonl")}
    kept = [row for row in review.values() if row["keep"]]
    mixed = [row for row in review.values() if row["why"].startswith("mixed_languages")]
    assert kept
    assert mixed
    assert all(row["verdict"]["accuracy"] == "match" for row in mixed)
    mended, spoilt, dropped = mixed[0], kept[0], kept[1]
    mended |= {"keep": True, "reasoning": "Three and four, that is seven.", "summary": "\\boxed{7}"}
    spoilt |= {"reasoning": "It is nine, I am sure.", "summary": "9"}
    dropped |= {"keep": False}
    edited = write(tmp_path / "edited.jsonl", [mended, spoilt, dropped])
    told = replace(
        case, table={**case.table, "by_hand": "edited"}, inputs={**case.inputs, "by_hand": edited}
    )
    counts = told.run(tmp_path / "stage")
    assert counts["by_hand"] == {"rows": 3, "left_out": 1, "rejected": 1, "kept": 1}
    assert counts["rejected"]["by_hand_wrong"] == 1
    rows = {row["id"]: row for row in read(tmp_path / "stage" / "data.jsonl")}
    assert spoilt["id"] not in rows
    assert dropped["id"] not in rows
    assert rows[mended["id"]]["source"] == "by_hand"
    assert rows[mended["id"]]["messages"][1]["content"] == (
        "<think>Three and four, that is seven.</think>\\boxed{7}"
    )
    again = {row["id"]: row for row in read(tmp_path / "stage" / "review.jsonl")}
    assert again[spoilt["id"]]["why"].startswith("wrong: ")


def refining(request: Request) -> Play:
    """Translates, and boxes the answer; of some questions it gets the answer wrong."""
    [message] = request.body["messages"]
    text = message["content"]
    question = text.partition("<question>\n")[2].partition("\n</question>")[0]
    if text.startswith("[task: rewrite-reasoning]\n"):
        thought = text.partition("<reasoning>\n")[2].partition("\n</reasoning>")[0]
        assert "in the language 'en' (BCP 47)" in text
        return says(re.sub("我想是七,那么答案是七。", "that is seven, I believe. ", thought))
    assert text.startswith("[task: write-summary]\n")
    assert "\\boxed{}" in text
    answer = text.partition("<answer>\n")[2].partition("\n</answer>")[0].strip()
    wrong = "Lot 3:" in question
    return says(f"They make \\boxed{{{'9' if wrong else answer}}}.")


def only_zero(case: Case, chat: ChatServer, **more: object) -> Case:
    refiner = {"url": chat.url, "model": "refiner", "concurrency": 2, **more}
    table = {"kind": "cold_start", "data": ["p"], "zero": TABLE["zero"], "refiner": refiner}
    inputs = {name: case.inputs[name] for name in ("model.zero", "data.0")}
    return Case(table, inputs, case.address)


def test_refined_thoughts_are_in_one_language_and_verified_again(
    case: Case, tmp_path: Path
) -> None:
    with ChatServer(refining) as chat:
        counts = only_zero(case, chat).run(tmp_path)
        asked = len(chat.requests)
        assert only_zero(case, chat).run(tmp_path) == counts
        assert len(chat.requests) == asked
    assert counts["rejected"]["refined_wrong"] >= 1
    rows = read(tmp_path / "data.jsonl")
    said = {row["messages"][1]["content"] for row in rows}
    assert "<think> I add them. </think>They make \\boxed{7}." in said
    assert "<think> Three, that is seven, I believe.  </think>They make \\boxed{7}." in said
    assert not any("Lot 3:" in row["messages"][0]["content"] for row in rows)


def test_killed_while_it_refines_it_asks_nothing_twice(case: Case, tmp_path: Path) -> None:
    with ChatServer(refining) as chat:
        whole = only_zero(case, chat)
        figures = whole.run(tmp_path / "whole")
        wanted = len(chat.requests)
        answers = (tmp_path / "whole" / "answers.jsonl").read_bytes().splitlines(keepends=True)
        # As a kill in the middle of the fourth answer's line leaves it.
        whole.killed(tmp_path / "killed", 2)
        assert len(chat.requests) == 2 * wanted
        torn = b"".join(answers[:3]) + answers[3][:20]
        (tmp_path / "killed" / "answers.jsonl").write_bytes(torn)
        assert whole.run(tmp_path / "killed") == figures
        assert len(chat.requests) == 3 * wanted - 3
        assert whole.outputs(tmp_path / "killed") == whole.outputs(tmp_path / "whole")


def test_an_endpoint_that_fails_is_tried_again_and_one_that_refuses_ends_the_stage(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(request: Request) -> Play:
        return error(503) if request.number % 3 == 0 else refining(request)

    monkeypatch.setenv("REFINER_KEY", "sesame")
    with ChatServer(faulty) as chat:
        only_zero(case, chat, api_key_env="REFINER_KEY").run(tmp_path / "faulty")
        assert {one.headers["authorization"] for one in chat.requests} == {"Bearer sesame"}
    with ChatServer(lambda request: error(401, "no such key")) as chat:
        with pytest.raises(StageFailed, match=r"refiner\.url: .* status 401: .*no such key"):
            only_zero(case, chat).run(tmp_path / "refused")
        with pytest.raises(StageFailed, match=r"refiner\.api_key_env: NO_KEY is not set"):
            only_zero(case, chat, api_key_env="NO_KEY").run(tmp_path / "refused")


def test_an_answer_that_was_cut_off_is_none(case: Case, tmp_path: Path) -> None:
    def cut(request: Request) -> Play:
        return says("I was about to", finish="length")

    with ChatServer(cut) as chat, pytest.raises(StageFailed, match="nothing is kept"):
        only_zero(case, chat).run(tmp_path)
    reasons = {row["reason"] for row in read(tmp_path / "rejected.jsonl")}
    assert "not_refined" in reasons
    assert not any(reason.startswith("refined_") for reason in reasons)


def test_a_question_that_is_refused_has_no_answer_and_others_do(case: Case, tmp_path: Path) -> None:
    def picky(request: Request) -> Play:
        long = "Lot 4:" in request.body["messages"][0]["content"]
        return error(400, "too long") if long else refining(request)

    with ChatServer(picky) as chat:
        counts = only_zero(case, chat).run(tmp_path)
    assert counts["rejected"]["not_refined"] >= 1
    assert counts["kept"] >= 1
    assert "too long" not in (tmp_path / "answers.jsonl").read_text()


def test_tables_that_make_no_sense_are_refused(case: Case) -> None:
    def problems_of(**table: object) -> list[str]:
        stage = replace(case, table={"kind": "cold_start", **table})
        found: Any = stage
        from pydantic import TypeAdapter

        from trainer.pipeline.config import Stage

        made: Any = TypeAdapter(Stage).validate_json(json.dumps(found.table))
        return list(made.check(Settings(0, "", 1, Service(), None)))

    assert problems_of() == ["few_shot, direct, zero, by_hand: at least one of them is wanted"]
    assert problems_of(zero={"model": "zero"}) == ["data: problems are wanted for zero"]
    assert problems_of(data=["a"], direct={"model": "m", "instruction": "Solve it."}) == [
        "direct.instruction: {prompt} is wanted in it"
    ]
    shot = {"model": "m", "examples": "e", "form": "{response} {prompt}"}
    assert problems_of(data=["a"], few_shot=shot) == [
        "few_shot.form: {prompt} and after it {response} are wanted in it"
    ]


def test_an_edited_row_that_is_none_is_named(case: Case, tmp_path: Path) -> None:
    row = {"id": "a", "keep": True, "reasoning": "r", "summary": "s", "item": {"prompt": "p"}}
    unfinished = {key: value for key, value in row.items() if key != "summary"}
    for number, (edited, problem) in enumerate([
        (row, "item: a prompt and a task are wanted"),
        ({**row, "keep": "true"}, "keep: true or false is wanted, got 'true'"),
        (unfinished, "summary: a text is wanted, as in review.jsonl, and it has none"),
        (["a"], r"a row of review\.jsonl is wanted, got \['a'\]"),
    ]):  # fmt: skip
        path = tmp_path / f"edited-{number}.jsonl"
        path.write_text(json.dumps(edited) + "\n")
        table = {"kind": "cold_start", "by_hand": "edited"}
        with pytest.raises(DataError, match=f"line 1: {problem}"):
            Case(table, {"by_hand": path}, case.address).run(tmp_path / f"stage-{number}")


def test_an_edited_row_is_one_of_its_id_and_clear_of_benchmarks(case: Case, tmp_path: Path) -> None:
    row = {
        "id": "a", "keep": True, "reasoning": "Three and four.", "summary": "\\boxed{7}",
        "prompt": "How much is 3 + 4?",
        "item": {"prompt": "How much is 3 + 4?", "language": "en", "math": {"gold": ["7"]}},
    }  # fmt: skip
    other = {**row, "id": "b", "item": {**row["item"], "prompt": "And 3 + 4?"}}  # type: ignore[dict-item]
    del other["prompt"]
    against = write(tmp_path / "questions.jsonl", [{"question": "How much is 3 + 4?"}])

    def told(*rows: dict[str, Any]) -> Case:
        inputs = {"by_hand": write(tmp_path / "edited.jsonl", rows), "against.0": against}
        table = {"kind": "cold_start", "by_hand": "edited", "against": ["questions"]}
        return Case(table, inputs, case.address)

    counts = told(row, other).run(tmp_path / "stage")
    assert counts["by_hand"] == {"rows": 2, "left_out": 0, "rejected": 1, "kept": 1}
    assert counts["rejected"] == {"by_hand_contaminated_prompt": 1}
    assert [one["id"] for one in read(tmp_path / "stage" / "data.jsonl")] == ["b"]
    with pytest.raises(DataError, match="id 'b' is that of 2 rows"):
        told(other, other).run(tmp_path / "twice")
    with pytest.raises(DataError, match=r"line 1: prompt: another text than item\.prompt"):
        told({**row, "prompt": "How much is 4 + 4?"}).run(tmp_path / "edited")


def test_damaged_answers_are_named_by_their_line(case: Case, tmp_path: Path) -> None:
    with ChatServer(refining) as chat:
        told = only_zero(case, chat)
        counts = told.run(tmp_path)
        answers = tmp_path / "answers.jsonl"
        whole = answers.read_bytes()
        answers.write_bytes(b'{"key": 3}\n' + whole)
        with pytest.raises(RunError, match=r"answers\.jsonl, line 1: damaged"):
            told.run(tmp_path)
        answers.write_bytes(whole + b'{"key": "torn')
        asked = len(chat.requests)
        assert told.run(tmp_path) == counts
        assert (len(chat.requests), answers.read_bytes()) == (asked, whole)


def test_waiting_for_a_refiner_can_be_broken_off(case: Case, tmp_path: Path) -> None:
    def late(request: Request) -> Play:
        if request.number == 0:  # it waits by the time that this ends
            threading.Timer(1, os.kill, [os.getpid(), signal.SIGINT]).start()
        return says("late", wait_s=600)

    with ChatServer(late) as chat:
        told = only_zero(case, chat)
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            told.run(tmp_path)
        assert time.monotonic() - began < 120
        assert chat.requests
