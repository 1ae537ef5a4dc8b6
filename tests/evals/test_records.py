"""Records survive kills, and say where they are damaged."""

from __future__ import annotations

import json
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.records import Generation, Key, RecordError, Records, Score, read, write_whole


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


def test_a_file_cut_anywhere_has_the_records_before_the_cut(tmp_path):
    path = tmp_path / "g.jsonl"
    with Records(path, Generation) as records:
        for sample in range(3):
            records.append(generation(sample, "\u00fc\u2028\n"))
    raw = path.read_bytes()
    ends = [n + 1 for n, byte in enumerate(raw) if byte == 10]
    for cut in range(len(raw)):
        path.write_bytes(raw[:cut])
        whole = sum(end <= cut for end in ends)
        assert len(list(read(path, Generation))) == whole
        with Records(path, Generation) as records:
            records.append(generation(7))
        assert [one.sample for one in read(path, Generation)] == [*range(whole), 7]


SCORE = Score("sums", "q", 0, "p", "h", "g", "r", "ok", 1.0, "4", {})


@pytest.mark.parametrize(
    ("kind", "field", "value", "message"),
    [
        (Generation, "sample", "0", "sample must be a whole number from 0, .*got '0'"),
        (Generation, "sample", -1, "sample must be a whole number from 0, .*got -1"),
        (Generation, "sample", True, "sample must be a whole number .*got True"),
        (Generation, "sample", 10**30, "sample must be a whole number .*got 1000"),
        (Generation, "question", ["q"], "question must be a text, got"),
        (Generation, "response", None, "response must be a text, got None"),
        (Generation, "finish", "done", "finish must be one of stop, length, error, got 'done'"),
        (Generation, "cost", float("nan"), "cost must be a finite number, got nan"),
        (Score, "score", float("inf"), "score must be a finite number or null, got inf"),
        (Score, "status", [], "status must be one of ok, no_answer, grader_error, got"),
        (Score, "evidence", [], "evidence must be an object, got"),
    ],
)
def test_a_field_of_another_kind_is_named(tmp_path, kind, field, value, message):
    path = tmp_path / "r.jsonl"
    row = asdict(generation() if kind is Generation else SCORE)
    path.write_text(json.dumps(row) + "\n" + json.dumps(row | {field: value}) + "\n")
    found = read(path, kind)
    next(found)
    with pytest.raises(RecordError, match=rf"r\.jsonl, line 2: {message}"):
        next(found)


@pytest.mark.parametrize(
    "line", [b"[]", b"5", b"\xff\xfe{\x00", b"\x00\x00", b"[" * 100_000, b'{"sample": 1' + b"0" * 9999]
)  # fmt: skip
def test_what_is_no_record_is_named_by_line(tmp_path, line):
    path = tmp_path / "g.jsonl"
    path.write_bytes(json.dumps(asdict(generation())).encode() + b"\n" + line + b"\n")
    with pytest.raises(RecordError, match=r"g\.jsonl, line 2: "):
        list(read(path, Generation))


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """Files cannot grow beyond this many bytes, as on a full disk."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_named_and_leaves_whole_lines(tmp_path: Path):
    path = tmp_path / "g.jsonl"
    with Records(path, Generation) as records:
        records.append(generation(0))
        size = path.stat().st_size
        with full_after(size + 50):
            with pytest.raises(OSError, match=r"g\.jsonl"):
                records.append(generation(1))
            assert path.stat().st_size == size
        records.append(generation(2))
    assert [one.sample for one in read(path, Generation)] == [0, 2]
    whole = tmp_path / "s.json"
    write_whole(whole, "before")
    with full_after(50), pytest.raises(OSError, match=r"s\.json"):
        write_whole(whole, "x" * 500)
    assert whole.read_text() == "before"
