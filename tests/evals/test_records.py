"""Records survive kills, and say where they are damaged."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.records import Generation, Key, RecordError, Records, read


def generation(sample: int = 0, text: str = "4", finish: str = "stop") -> Generation:
    return Generation("sums", "q", sample, "p", "h", text, finish)


def test_the_last_record_of_a_key_counts(tmp_path):
    with Records(tmp_path / "g.jsonl", Generation) as records:
        records.append(generation(0, finish="error"))
        records.append(generation(1))
        records.append(generation(0, "5"))
        assert {key.sample: made.response for key, made in records.newest().items()} == {
            0: "5",
            1: "4",
        }


@given(text=st.text(st.characters(exclude_categories=()), max_size=80))
def test_any_text_comes_back_as_it_was(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("g") / "g.jsonl"
    with Records(path, Generation) as records:
        records.append(generation(text=text))
    assert [made.response for made in read(path, Generation)] == [text]


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_line_that_a_kill_cut_is_dropped_and_the_rest_kept(tmp_path, cut):
    path = tmp_path / "g.jsonl"
    with Records(path, Generation) as records:
        records.append(generation(0))
        records.append(generation(1))
    raw = path.read_bytes()
    path.write_bytes(raw[:-cut])
    assert [made.sample for made in read(path, Generation)] == [0]
    with Records(path, Generation) as records:
        records.append(generation(2))
        assert [key.sample for key in records.newest()] == [0, 2]


def test_a_file_that_is_one_cut_line_starts_anew(tmp_path):
    path = tmp_path / "g.jsonl"
    path.write_text('{"benchmark": "su')
    with Records(path, Generation) as records:
        assert records.newest() == {}
    assert path.read_bytes() == b""


def test_damage_within_is_named_by_line(tmp_path):
    path = tmp_path / "g.jsonl"
    path.write_text(json.dumps({"benchmark": "sums"}) + "\n" + "{}\n")
    with pytest.raises(RecordError, match="line 1: "):
        list(read(path, Generation))


def test_two_runs_do_not_write_to_one_file(tmp_path):
    with (
        Records(tmp_path / "g.jsonl", Generation),
        pytest.raises(RecordError, match="another run is writing"),
    ):
        Records(tmp_path / "g.jsonl", Generation)


def test_seeds_differ_by_all_that_makes_a_key():
    keys = [
        Key("a", "q", 0, "p", "h"), Key("b", "q", 0, "p", "h"), Key("a", "r", 0, "p", "h"),
        Key("a", "q", 1, "p", "h"), Key("a", "q", 0, "x", "h"), Key("a", "q", 0, "p", "x"),
    ]  # fmt: skip
    seeds = {key.seed for key in keys}
    assert len(seeds) == len(keys)
    assert all(0 <= seed < 2**31 for seed in seeds)
