"""Responses taken apart and put together, and the files they go to."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.log import RunError
from trainer.pipeline import rows
from trainer.pipeline.rows import Report, Split, Spool, chat_row, filled, joined, split, write_chat
from verifier.client import Item

PLAIN = st.text().filter(lambda text: "<" not in text)


@pytest.mark.parametrize(("response", "found"), [
    ("<think>a</think>b", Split("a", "b")),
    ("a</think>b", Split("a", "b")),
    ("<think> a </think> <answer> b </answer>\n", Split(" a ", " b ")),
    ("<think>a</think>so <answer>b</answer>", Split("a", "so <answer>b</answer>")),
    ("<think>a</think>b</think>c", Split("a</think>b", "c")),
    ("<think>a", None),
    ("b", None),
])  # fmt: skip
def test_both_layouts_are_taken_apart(response: str, found: Split | None) -> None:
    assert split(response) == found


@given(PLAIN, PLAIN)
def test_what_was_joined_is_taken_apart_again(reasoning: str, summary: str) -> None:
    assert split(joined(reasoning, summary)) == Split(reasoning, summary)


@given(st.text(), st.text())
def test_braces_in_texts_are_left_alone(one: str, other: str) -> None:
    assert filled("{a}|{b}", a=one, b=other) == f"{one}|{other}"
    assert filled("{a} \\boxed{} {c}", a="{b}", b=other) == "{b} \\boxed{} {c}"


@settings(deadline=None, max_examples=25)  # of a disk
@given(st.lists(st.tuples(PLAIN, PLAIN), max_size=9))
def test_both_files_have_the_same_rows(
    tmp_path_factory: pytest.TempPathFactory, texts: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    made = [
        chat_row(prompt, said, f"{n}", "zero", "math", "en")
        for n, (prompt, said) in enumerate(texts)
    ]
    write_chat(folder, made)
    read = [json.loads(line) for line in (folder / "data.jsonl").read_bytes().splitlines()]
    assert read == pq.read_table(folder / "data.parquet").to_pylist() == made


def test_many_rows_are_written_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "ROWS", 4)
    write_chat(tmp_path, (chat_row("q", "a", f"{n}", "", "", "") for n in range(10)))
    assert pq.ParquetFile(tmp_path / "data.parquet").metadata.num_row_groups == 3
    assert [row["id"] for row in pq.read_table(tmp_path / "data.parquet").to_pylist()] == [
        f"{n}" for n in range(10)
    ]


@settings(deadline=None, max_examples=25)
@given(st.lists(PLAIN, max_size=20), st.integers(0, 9))
def test_a_spool_gives_rows_back_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], seed: int
) -> None:
    path = tmp_path_factory.mktemp("spool") / ".rows"
    with Spool(path) as spool:
        assert [spool.add({"text": text}) for text in texts] == list(range(len(texts)))
        order = Random(seed).sample(range(len(texts)), len(texts))
        assert [row["text"] for row in spool.read(order)] == [texts[place] for place in order]
    assert not path.exists()


def test_a_file_that_is_not_finished_has_no_name(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    with pytest.raises(TypeError), rows.whole(path) as file:
        file.write("no bytes")  # type: ignore[arg-type]
    assert not path.exists()
    rows.write_jsonl(path, [{"a": "é"}])
    assert path.read_text() == '{"a": "é"}\n'
    with pytest.raises(RunError, match="nowhere"), rows.whole(Path("/proc/nowhere/a")):
        pass


def test_a_report_counts_all_and_shows_some() -> None:
    report = Report()
    for n in range(9):
        report.reject("wrong", f"{n}", id=f"{n}")
    report.tally(Item(language="en", meta={"domain": "sums"}), "sampled", 9)
    assert report.as_dict() == {
        "rejected": {"wrong": 9},
        "by_domain": {"sums": {"sampled": 9}},
        "by_language": {"en": {"sampled": 9}},
    }
    assert [one["detail"] for one in report.examples["wrong"]] == ["0", "1", "2", "3", "4"]
