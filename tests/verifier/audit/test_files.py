"""Records as lines, frames and columns; the files that they are written to."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.audit.support import files, read
from verifier.audit.files import Files, NotOurs, to_parquet
from verifier.audit.read import BadFile, Cut, read_files
from verifier.audit.records import Frame, Record, of_frame, pack, read_record, unpack, write_record
from verifier.jsonl import BadLine
from verifier.v1 import verifier_pb2 as pb

numbers = st.floats(allow_nan=False)
texts = st.text(max_size=40)
made_items = st.one_of(
    st.builds(
        lambda name, text, golds, recipe, meta: pb.Item(
            id=name, response=text, math=pb.MathTask(gold=golds), recipe=recipe, meta=meta
        ),
        texts, texts, st.lists(texts, max_size=3), texts, st.dictionaries(texts, texts, max_size=2),
    ),
    st.builds(
        lambda stdin, weight, cpu, deadline: pb.Item(
            code=pb.CodeTask(
                tests=[pb.CodeTest(stdin=stdin, weight=weight)],
                limits=pb.CodeLimits(cpu_seconds=cpu, memory_bytes=1 << 60),
            ),
            deadline_ms=deadline,
        ),
        texts, numbers, numbers, st.none() | st.integers(0, 2**32 - 1),
    ),
)  # fmt: skip
made_verdicts = st.builds(
    lambda name, status, reward, scores, extracted, message: pb.Verdict(
        id=name, status=status, reward=reward, extracted=extracted,
        parts=[pb.Part(name="accuracy", score=score, weight=1, reason=1) for score in scores],
        evidence=pb.Evidence(message=message),
        provenance=pb.Provenance(verifier="math", verifier_version="7"),
    ),
    texts, st.sampled_from(pb.Verdict.Status.values()), st.none() | numbers,
    st.lists(st.none() | numbers, max_size=2), st.none() | texts, texts,
)  # fmt: skip
made_records = st.builds(
    Record,
    st.none() | made_items,
    made_verdicts,
    st.integers(0, 253_402_300_799_999),
    st.text(max_size=5),
)


@given(made_records)
def test_a_line_holds_all_of_a_record(record: Record) -> None:
    line = write_record(record)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert read_record(1, line) == record


@given(st.lists(made_records, max_size=5), st.integers(1, 60))
def test_frames_come_through_in_pieces_of_any_size(given_: list[Record], size: int) -> None:
    frames = [
        Frame(
            one.at_ms or 0,
            one.verdict.SerializeToString(),
            None if one.item is None else one.item.SerializeToString(),
        )
        for one in given_
    ]
    stream = b"".join(piece for frame in frames for piece in pack(frame))
    held, came = bytearray(), list[Frame]()
    for at in range(0, len(stream), size):
        held += stream[at : at + size]
        came += unpack(held)
    assert came == frames
    assert not held
    records = [of_frame(frame, "1") for frame in came]
    assert [(one.item, one.verdict) for one in records] == [
        (one.item, one.verdict) for one in given_
    ]


@settings(max_examples=25, deadline=None)
@given(st.lists(made_records, min_size=1, max_size=8))
def test_columns_hold_all_of_a_record(records: list[Record]) -> None:
    pytest.importorskip("pyarrow")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "a.jsonl", Path(folder) / "a.parquet"
        source.write_bytes(b"".join(map(write_record, records)))
        assert not to_parquet(source, target)
        assert [one for _, one in read_files([target])] == records


@given(st.binary(max_size=200))
def test_any_line_is_a_record_or_a_bad_line(line: bytes) -> None:
    assert isinstance(read_record(1, line), Record | BadLine)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (b'{"verdict": {}}', ["line 3: item:", "'verdict'"]),
        (b'{"id": "a", "status": "OK"}', ["line 3: item:", "--input", "'id', 'status'"]),
        (b'{"item": {}, "verdict": {"reward": "x"}}', ["line 3: ", "reward"]),
        (b'{"item": {"gold": 1}, "verdict": {}}', ["line 3: item.gold: no such field"]),
        (b'{"item": {}, "verdict": {}, "at": "noon"}', ["line 3: at: a time", "'noon'"]),
        (b'{"item": {}, "verdict": {}, "at": "2026-01-01T00:00:00"}', ["line 3: at: a time"]),
        (b'{"item": {"id": "\\ud800"}, "verdict": {}}', ["line 3: "]),
        (b"[]", ["line 3: a JSON object is wanted, got a list"]),
    ],
)
def test_what_is_no_record_is_named(line: bytes, parts: list[str]) -> None:
    found = read_record(3, line)
    assert isinstance(found, BadLine)
    found.message.encode()
    for part in parts:
        assert part in found.message


def lines(count: int, first: int = 0, size: int = 100) -> list[bytes]:
    return [
        write_record(Record(pb.Item(id=str(n), response="x" * size), pb.Verdict(id=str(n)), 0))
        for n in range(first, first + count)
    ]


def put(target: Files, given_: list[bytes]) -> None:
    while given_:
        given_ = given_[target.write(given_) :]


def ids(path: Path) -> list[str]:
    return [one.verdict.id for one in read(path)]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_full_files_get_numbers_and_none_is_longer(tmp_path: Path, suffix: str) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"audit{suffix}"
    notes: list[str] = []
    target = Files(path, 2_000, notes.append)
    put(target, lines(40))
    assert all(one.stat().st_size <= 2_000 for one in files(path) if one.suffix == ".jsonl")
    target.close()
    put(target := Files(path, 2_000, notes.append), lines(5, first=40))
    target.close()
    assert ids(path) == [str(n) for n in range(45)]
    *full, last = [one.name for one in files(path)]
    assert len(set(full)) >= 5
    name = re.compile(r"audit\.20[0-9]{6}-[0-9]{6}-[0-9]{3}\." + suffix[1:])
    assert all(name.fullmatch(one) for one in full)
    assert last == "audit.jsonl" if suffix == ".jsonl" else name.fullmatch(last)
    assert notes == []


def test_a_line_longer_than_a_file_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    target = Files(path, 1_000, print)
    put(target, [*lines(2), *lines(1, 2, size=5_000), *lines(2, 3)])
    target.close()
    assert [len(one.read_bytes().splitlines()) for one in files(path)] == [2, 1, 2]
    assert ids(path) == ["0", "1", "2", "3", "4"]


def test_one_process_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    target = Files(path, 1_000, print)
    with pytest.raises(NotOurs, match=f"{path}: another process writes it"):
        Files(path, 1_000, print)
    target.close()
    Files(path, 1_000, print).close()


def test_a_file_that_was_moved_or_removed_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    target = Files(path, 10_000, print)
    put(target, lines(2))
    path.rename(tmp_path / "mine.jsonl")
    put(target, lines(1, 2))
    path.unlink()
    put(target, lines(1, 3))
    target.close()
    assert ids(path) == ["3"]
    assert ids(tmp_path / "mine.jsonl") == ["0", "1"]


def test_a_write_that_fails_half_way_leaves_whole_lines_alone(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    target = Files(path, 100_000, print)
    put(target, lines(2))
    try:  # the kernel takes what fits and refuses the rest, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
        with pytest.raises(OSError, match="File too large"):
            target.write(lines(10, 2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    put(target, lines(10, 2))
    target.close()
    assert ids(path) == [str(n) for n in range(12)]


def test_a_cut_line_is_left_out_of_parquet_and_said(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "audit.parquet"
    whole = lines(3)
    growing = path.with_suffix(".jsonl")
    growing.write_bytes(b"".join(whole)[:-20])
    assert [type(one) for _, one in read_files([growing])] == [Record, Record, Cut]
    notes: list[str] = []
    Files(path, 1_000, notes.append).close()
    assert ids(path) == ["0", "1"]
    assert len(notes) == 1
    assert "its last line was cut" in notes[0]


def test_what_is_no_file_of_records_stays_as_it_is(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "audit.parquet"
    other = b'{"id": 1}\n{"id": 2}\n'
    (tmp_path / "audit.jsonl").write_bytes(other)
    with pytest.raises(NotOurs, match=r"audit\.jsonl: holds something else than records, got b'"):
        Files(path, 1_000, print)
    assert (tmp_path / "audit.jsonl").read_bytes() == other
    (tmp_path / "audit.jsonl").write_bytes(lines(1)[0] + other)
    notes: list[str] = []
    Files(path, 1_000, notes.append).close()
    (kept,) = tmp_path.iterdir()
    assert kept.read_bytes() == lines(1)[0] + other
    assert "stays as it is, no Parquet could be made of it: line 2 is no record" in notes[0]


def test_other_parquet_files_are_refused_by_name(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    other, torn = tmp_path / "other.parquet", tmp_path / "torn.parquet"
    parquet.write_table(pa.table({"item": ["{}"], "x": [1]}), other)
    with pytest.raises(BadFile, match=f"{other}: no column verdict"):
        list(read_files([other]))
    torn.write_bytes(other.read_bytes()[:-10])
    with pytest.raises(BadFile, match=f"{torn}: "):
        list(read_files([torn]))


def test_the_writer_starts_light() -> None:
    code = (
        "import sys; from verifier.audit import writer; "
        "print({'pyarrow', 'grpc', 'sympy'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
