"""`touchstone verify --replay`, against real servers and with records that were edited."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.verifier.audit.support import AT_MS, items, recorded, write
from tests.verifier.judge.server import ChatServer, always, says
from tests.verifier.support import ADD, code_item, math_item
from tests.verifier.test_cli import touchstone
from verifier.audit.compare import EXAMPLES, GROUPS, Tally, changes, kind, not_comparable
from verifier.audit.files import to_parquet
from verifier.audit.read import BadFile, chunks, read_pairs
from verifier.audit.records import Record, write_record
from verifier.cli import app
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb


def here(*arguments: object) -> Result:
    """As `touchstone` does it, in this process: a test has several, and each takes a second."""
    return CliRunner().invoke(app, list(map(str, arguments)))


def last(run: subprocess.CompletedProcess[str] | Result) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])["replay"]
    return told


def copy(record: Record) -> Record:
    assert record.item is not None
    item, verdict = pb.Item(), pb.Verdict()
    item.CopyFrom(record.item)
    verdict.CopyFrom(record.verdict)
    return Record(item, verdict, record.at_ms, record.server)


def test_what_did_not_change_is_status_0(server: EmbeddedServer, tmp_path: Path) -> None:
    given_ = [*items(30), code_item("c", ADD), math_item("bad", "4", gold="")]
    records = recorded(server.address, given_)
    path = write(tmp_path / "old.jsonl", records)
    pytest.importorskip("pyarrow")
    assert not to_parquet(path, tmp_path / "old.parquet")
    files = [path, tmp_path / "old.parquet"]
    out = tmp_path / "changed.jsonl"
    run = touchstone("verify", "--replay", *files, "--address", server.address, "--output", out)
    assert run.returncode == 0, run.stderr
    assert "64 records, 64 compared: 64 unchanged, 0 changed" in run.stderr
    told = last(run)
    assert (told["records"], told["unchanged"], told["changed"]) == (64, 64, 0)
    assert told["mean_reward"]["old"] == told["mean_reward"]["new"] == pytest.approx(42 / 62)
    assert told["failure"] is None
    assert out.read_bytes() == b""


def edited(records: list[Record]) -> list[Record]:
    """One record of each change, as an older verifier could have given them."""
    made = [copy(one) for one in records]
    for one in made:
        one.verdict.provenance.verifier_version = "0"
    wrong, status, score, extracted, recipe = made[:5]
    wrong.verdict.reward = 0
    wrong.verdict.parts[0].score = 0
    wrong.verdict.parts[0].reason = pb.Part.no_match
    status.verdict.status = pb.Verdict.UNDECIDED
    status.verdict.ClearField("reward")
    status.verdict.evidence.message = "cannot tell"
    score.verdict.parts[0].score = 0.25
    score.verdict.reward = 0.25
    extracted.verdict.extracted = "elsewhere"
    recipe.verdict.reward = 2
    recipe.verdict.provenance.recipe_hash = "0"
    return made


def test_each_change_is_named_with_versions_and_what_it_rests_on(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    right = [math_item(f"m{n}", "\\frac{8}{2}", recipe="r1_zero") for n in range(6)]
    path = write(tmp_path / "old.jsonl", edited(recorded(server.address, right)))
    out = tmp_path / "changed.jsonl"
    run = here("verify", "--replay", path, "--address", server.address, "--output", out)
    assert run.exit_code == 1, run.stderr
    told = last(run)
    assert (told["compared"], told["changed"], told["other_answers"]) == (6, 4, 1)
    assert (told["reward_higher"], told["reward_lower"]) == (2, 1)
    version = next(iter({one["new_version"] for one in told["kinds"]}))
    assert {one["old_version"] for one in told["kinds"]} == {"0"}
    assert version not in ("", "0")
    assert {one["what"]: one["count"] for one in told["kinds"]} == {
        "accuracy: no_match -> match": 1,
        "status: UNDECIDED -> OK": 1,
        "accuracy.score: higher": 1,
        "reward: lower (the recipe r1_zero is another)": 1,
    }
    for word in (
        "'m0'; accuracy.reason no_match -> match; accuracy.score 0 -> 1; reward 0 -> ",
        "extracted '\\\\frac{8}{2}'; gold '4'",
        "status UNDECIDED -> OK; reward absent -> ",
        "then: 'cannot tell'",
        f"0 -> {version}",
        "1 unchanged ones have another extracted answer",
    ):
        assert word in run.stderr, run.stderr
    changed = [json.loads(line) for line in out.open()]
    assert [one["id"] for one in changed] == ["m0", "m1", "m2", "m4"]
    first = changed[0]
    assert first["what"] == "accuracy: no_match -> match"
    assert first["changes"][0] == {"field": "accuracy.reason", "old": "no_match", "new": "match"}
    assert (first["old"]["reward"], first["new"]["reward"]) == (0, 1)
    assert first["item"]["math"]["gold"] == ["4"]
    assert (first["at"], first["server"]) == ("2026-01-01T00:00:00.123+00:00", "0.0.9")


def test_the_files_that_verify_reads_and_writes(server: EmbeddedServer, tmp_path: Path) -> None:
    lines = [
        json.dumps({"id": f"i{n}", "response": "\\boxed{4}", "math": {"gold": ["4"]}})
        for n in range(4)
    ]
    given_, verdicts = tmp_path / "items.jsonl", tmp_path / "verdicts.jsonl"
    given_.write_text("\n".join([*lines, '{"id": ']) + "\n")
    here("verify", "--input", given_, "--output", verdicts, "--address", server.address)
    replay = ("verify", "--replay", verdicts, "--input", given_, "--address", server.address)
    run = here(*replay)
    assert run.exit_code == 0, run.stderr
    assert "1 not comparable: no item" in run.stderr
    verdicts.write_text(verdicts.read_text().replace('"reward": 1.0', '"reward": 0.5', 1))
    run = here(*replay)
    assert run.exit_code == 1
    assert last(run)["kinds"][0]["what"] == "reward: higher"
    given_.write_text("\n".join([lines[1], lines[0], *lines[2:]]) + "\n")
    run = here(*replay)
    assert run.exit_code == 2
    assert f"{verdicts}: verdict 1 is of 'i0', but item 1 of {given_} is 'i1'" in run.stderr
    given_.write_text("\n".join(lines[:3]) + "\n")
    with pytest.raises(BadFile, match=f"{verdicts}: more than the 3 of {given_}"):
        list(read_pairs(given_, verdicts))


def test_cut_and_bad_lines(server: EmbeddedServer, tmp_path: Path) -> None:
    records = recorded(server.address, items(3))
    path = write(tmp_path / "old.jsonl", records)
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    run = here("verify", "--replay", path, "--address", server.address)
    assert run.exit_code == 0, run.stderr
    assert f"{path}: line 3 is cut, and passed over" in run.stderr
    assert (last(run)["cut"], last(run)["unchanged"]) == (1, 2)
    path.write_bytes(b'{"id": "a", "status": "OK"}\n' + whole)
    run = here("verify", "--replay", path, "--address", server.address)
    assert run.exit_code == 1
    assert f"{path}: line 1: item: " in run.stderr
    assert (last(run)["unreadable"], last(run)["unchanged"]) == (1, 3)


def test_what_is_asked_for_in_vain(server: EmbeddedServer, tmp_path: Path) -> None:
    path = write(tmp_path / "old.jsonl", [Record(items(1)[0], pb.Verdict(), AT_MS)])
    empty = write(tmp_path / "empty.jsonl", [])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        away = f"127.0.0.1:{free.getsockname()[1]}"
    for arguments, status, said in (
        (("--replay",), 2, "--replay: at least one file"),
        ((path,), 2, "files are for --replay"),
        ((), 2, "--input: a file of items is required"),
        (("--replay", tmp_path / "none.jsonl"), 2, "there is no such file"),
        (("--replay", tmp_path), 2, "is a folder"),
        (("--replay", path, "--output", path), 2, "--output: is an input itself"),
        (("--replay", path, path, "--input", path), 2, "one file of verdicts, got 2"),
        (
            ("--replay", path, "--audit", "a.jsonl", "--address", away),
            2,
            "--audit: is for a server",
        ),
        (("--input", path, "--audit", path), 2, "--audit: writes --input itself"),
        (("--replay", path, "--audit", path), 2, "--audit: writes FILES itself"),
        (("--replay", path, "--address", away), 1, "UNAVAILABLE"),
        (("--replay", empty, "--address", server.address), 1, "nothing could be compared"),
    ):
        run = here("verify", *arguments)
        assert run.exit_code == status, (arguments, run.stderr)
        assert said in " ".join(run.stderr.split()), (arguments, run.stderr)


def test_judges_are_compared_where_there_is_one(
    server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("httpx2")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    task = pb.JudgeTask(mode=pb.JudgeTask.REFERENCE, reference="4")
    old = pb.Verdict(
        id="j", status=pb.Verdict.OK, reward=0,
        parts=[pb.Part(name="accuracy", score=0, weight=1, reason=pb.Part.judged)],
        provenance=pb.Provenance(verifier="judge", verifier_version="0", judge_model="old"),
    )  # fmt: skip
    record = Record(pb.Item(id="j", response="It is 4.", prompt="2 + 2?", judge=task), old, AT_MS)
    path = write(tmp_path / "old.jsonl", [record])
    run = here("verify", "--replay", path, "--address", server.address)
    assert run.exit_code == 1
    assert last(run)["not_comparable"] == {"needs a judge (--judge)": 1}
    answer = json.dumps({"analysis": "", "correctness": "correct"})
    with ChatServer(always(says(answer))) as chat:
        config = tmp_path / "judge.toml"
        config.write_text(f'[[endpoints]]\nurl = "{chat.url}"\nmodel = "new"\n')
        run = here("verify", "--replay", path, "--sandbox", "none", "--judge", config)
    assert run.exit_code == 1
    assert last(run)["kinds"][0]["what"] == "accuracy.score: higher"


def test_a_hostile_record_is_shown_as_text(server: EmbeddedServer, tmp_path: Path) -> None:
    record = copy(recorded(server.address, items(2))[1])
    hostile = "[/red][bold]\x1b[31m\u202e\n"
    old = record.verdict
    old.id = old.extracted = old.evidence.message = hostile
    old.provenance.verifier_version = old.provenance.recipe = hostile
    old.parts[0].name = old.parts[0].detail = hostile
    path = write(tmp_path / "old.jsonl", [record])
    path.write_bytes(path.read_bytes() + b'{"item": {"\x1b": "[/a]"}, "verdict": {}}\n')
    run = here("verify", "--replay", path, "--address", server.address)
    assert run.exit_code == 1, run.stderr
    assert (last(run)["changed"], last(run)["unreadable"]) == (1, 1)
    assert not {"\x1b", "\u202e"} & set(run.stderr)


MEASURE = """
import resource, sys
from verifier.audit import read
from verifier.cli import app
read.CHUNK_RECORDS = 128
try:
    app(sys.argv[1:])
except SystemExit as end:
    print(end.code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def test_memory_does_not_grow_with_the_file(server: EmbeddedServer, tmp_path: Path) -> None:
    line = write_record(recorded(server.address, items(2, response="word " * 2_000))[1])
    peaks = []
    for count in (256, 2_560):
        path = tmp_path / f"{count}.jsonl"
        with path.open("wb") as out:
            for _ in range(count):
                out.write(line)
        arguments = ["verify", "--replay", str(path), "--address", server.address]
        run = subprocess.run(
            [sys.executable, "-c", MEASURE, *arguments],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        status, peak = run.stderr.split()[-2:]
        assert status == "0", run.stderr
        assert last(run)["unchanged"] == count
        peaks.append(int(peak) * 1024)
    more = (2_560 - 256) * len(line)
    assert peaks[1] - peaks[0] < more / 3, (peaks, more)


DESCRIBED = pb.DescribeResponse(
    toolchains=[pb.Toolchain(language="python")],
    recipes=[
        pb.Recipe(name="asks", escalate=pb.Recipe.UNDECIDED),
        pb.Recipe(name="rates", parts=[pb.RecipePart(name="reward_model")]),
        pb.Recipe(name="forms", parts=[pb.RecipePart(name="format")]),
    ],
)
OK = pb.Verdict(status=pb.Verdict.OK, reward=1)


@pytest.mark.parametrize(
    ("item", "old", "why"),
    [
        (pb.Item(math=pb.MathTask(gold=["4"])), OK, None),
        (None, OK, "no item"),
        (pb.Item(), pb.Verdict(status=pb.Verdict.SANDBOX_ERROR), "no verdict then: SANDBOX_ERROR"),
        (pb.Item(), pb.Verdict(status=pb.Verdict.INTERNAL), "no verdict then: INTERNAL"),
        (pb.Item(), pb.Verdict(status=pb.Verdict.TIMEOUT), None),
        (pb.Item(recipe="asks", math=pb.MathTask()), OK, "needs a judge"),
        (pb.Item(preference=pb.PreferenceTask()), OK, "needs a judge"),
        (pb.Item(inline_recipe=pb.Recipe(escalate=3)), OK, "needs a judge"),
        (
            pb.Item(),
            pb.Verdict(status=1, evidence=pb.Evidence(judge=pb.JudgeEvidence(rules="undecided"))),
            "needs a judge",
        ),
        (pb.Item(recipe="rates"), OK, "needs a reward model"),
        (pb.Item(recipe="rates", judge=pb.JudgeTask()), OK, "needs a reward model"),
        (pb.Item(recipe="forms", judge=pb.JudgeTask()), OK, None),
        (pb.Item(code=pb.CodeTask(language="rust")), OK, "needs a toolchain: rust"),
        (pb.Item(code=pb.CodeTask(language="python")), OK, None),
        (pb.Item(code=pb.CodeTask(language="x")), pb.Verdict(status=pb.Verdict.INVALID), None),
    ],
)
def test_not_comparable(item: pb.Item | None, old: pb.Verdict, why: str | None) -> None:
    found = not_comparable(Record(item, old), DESCRIBED)
    assert (found or "").startswith(why or "\0") if why else found is None
    if why and "judge" in why:
        told = pb.DescribeResponse(judge_model="j", recipes=DESCRIBED.recipes)
        assert not_comparable(Record(item, old), told) is None


def test_a_reward_model_of_another_name_is_not_comparable() -> None:
    part = pb.RecipePart(name="reward_model", options={"model": "safe"})
    item = pb.Item(math=pb.MathTask(gold=["4"]), inline_recipe=pb.Recipe(parts=[part]))
    told = pb.DescribeResponse(reward_model="helpful, safe")
    assert not_comparable(Record(item, OK), told) is None
    told.reward_model = "helpful"
    assert not_comparable(Record(item, OK), told) == "needs the reward model safe (--judge)"


def speeds(score: float, reason: int = pb.Part.measured) -> pb.Verdict:
    parts = [
        pb.Part(name="accuracy", score=1, weight=1, reason=pb.Part.accepted),
        pb.Part(name="speed", score=score, weight=0.5, reason=reason),  # type: ignore[arg-type]
    ]
    return pb.Verdict(status=pb.Verdict.OK, reward=1 + score / 2, parts=parts)


def test_measured_speed_is_not_compared() -> None:
    assert changes(speeds(0.5), speeds(0.51)) == []
    found = changes(speeds(0.5), speeds(0, pb.Part.not_accepted))
    assert [one.field for one in found] == ["speed.reason", "speed.score", "reward"]
    tally = Tally()
    tally.add(Record(pb.Item(), speeds(0.5)), speeds(0.51))
    assert (tally.speeds, tally.changed) == (1, 0)
    weightless = speeds(0.5)
    weightless.parts[1].weight = 0
    other = pb.Verdict()
    other.CopyFrom(weightless)
    other.reward = 0.5
    assert [one.field for one in changes(weightless, other)] == ["reward"]


scored = st.none() | st.floats(0, 1)
made = st.builds(
    lambda status, reward, parts, extracted: pb.Verdict(
        status=status, reward=reward, extracted=extracted,
        parts=[pb.Part(name=n, score=s, weight=1, reason=r) for n, s, r in parts],
    ),
    st.sampled_from([1, 2, 3, 4]), scored,
    st.lists(
        st.tuples(st.sampled_from("abc"), scored, st.sampled_from([0, 1, 2, 35])),
        max_size=3, unique_by=lambda part: part[0],
    ),
    st.none() | st.text(max_size=3),
)  # fmt: skip


@settings(deadline=None)
@given(made, made)
def test_changes_are_those_of_the_four_fields(old: pb.Verdict, new: pb.Verdict) -> None:
    assert changes(old, old) == []
    found = changes(old, new)
    assert {(one.field, one.old, one.new) for one in found} == {
        (one.field, one.new, one.old) for one in changes(new, old)
    }
    tally = Tally()
    record = Record(pb.Item(id="\x1b[31m\n"), old)
    assert tally.add(record, new) == found
    assert tally.unchanged + sum(group.count for group in tally.groups.values()) == 1
    for group in tally.groups.values():
        assert all(line.isprintable() for line in group.examples)
    if old.status != new.status:
        assert kind(record, new, found).what.startswith("status: ")
    json.dumps(tally.told())


def test_a_tally_is_bounded() -> None:
    tally = Tally()
    new = pb.Verdict(status=pb.Verdict.OK, reward=1)
    for n in range(3 * GROUPS):
        old = pb.Verdict(status=pb.Verdict.UNDECIDED, extracted="x" * 1_000)
        old.provenance.verifier_version = str(n)
        for _ in range(2):
            tally.add(Record(pb.Item(), old), new)
    assert len(tally.groups) == GROUPS + 1
    assert sum(group.count for group in tally.groups.values()) == 6 * GROUPS
    assert all(len(group.examples) <= EXAMPLES for group in tally.groups.values())
    assert all(len(line) < 300 for group in tally.groups.values() for line in group.examples)


def test_chunks_are_bounded_by_bytes_too() -> None:
    large = Record(pb.Item(response="x" * (20 << 20)), pb.Verdict())
    assert [len(one) for one in chunks([large] * 5)] == [2, 2, 1]
    small = Record(pb.Item(), pb.Verdict())
    assert [len(one) for one in chunks([small] * 5_000)] == [2_048, 2_048, 904]
