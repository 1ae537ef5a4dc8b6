"""Samples as Parquet."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from evals import export
from evals.records import Generation, RecordError, Records
from tests.evals.rundir import API_ERROR, RIGHT, WRONG, Got, question, records, write


def test_every_sample_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "ROWS", 2)
    asked = question("q1", slices={"level": "5"})
    _, params = write(tmp_path, [(asked, [RIGHT, API_ERROR, WRONG])], 3)
    write(tmp_path, [(question("q2"), [RIGHT])], 1, name="c")
    with Records(tmp_path / "b" / "generations.jsonl", Generation) as generations:
        again, _ = records("b", asked, 1, params, Got(answer="\ud800 lone"))
        generations.append(again)
    assert export.export(tmp_path, tmp_path / "samples.parquet") == 4
    rows = pq.read_table(tmp_path / "samples.parquet").to_pylist()
    assert [(row["benchmark"], row["question"], row["sample"], row["score"]) for row in rows] == [
        ("b", "q1", 0, 1.0),
        ("b", "q1", 2, 0.0),
        ("b", "q1", 1, None),
        ("c", "q2", 0, 1.0),
    ]
    first, _, lone, _ = rows
    assert (first["model"], first["gold"], first["slices"]) == ("m", "A", [("level", "5")])
    assert first["prompt"] == '[{"role": "user", "content": "What is q1?"}]'
    assert (first["response"], first["extracted"], first["status"]) == (
        "sample 0: the answer is A",
        "A",
        "ok",
    )
    assert (lone["status"], lone["response"]) == (None, "sample 1: the answer is \\ud800 lone")


def test_a_score_of_another_response_is_no_score(tmp_path: Path) -> None:
    asked = question("q1")
    _, params = write(tmp_path, [(asked, [RIGHT])], 1)
    with Records(tmp_path / "b" / "generations.jsonl", Generation) as generations:
        generations.append(records("b", asked, 0, params, WRONG)[0])
    export.export(tmp_path, tmp_path / "samples.parquet")
    (row,) = pq.read_table(tmp_path / "samples.parquet").to_pylist()
    assert (row["score"], row["response"]) == (None, "sample 0: the answer is B")


def test_what_cannot_be_exported_leaves_what_was_there(tmp_path: Path) -> None:
    write(tmp_path / "run", [(question("q1"), [RIGHT])], 1)
    output = tmp_path / "samples.parquet"
    export.export(tmp_path / "run", output)
    before = output.read_bytes()
    with (tmp_path / "run" / "b" / "generations.jsonl").open("a") as file:
        file.write("{}\n")
    with pytest.raises(RecordError, match="line 2"):
        export.export(tmp_path / "run", output)
    assert output.read_bytes() == before
