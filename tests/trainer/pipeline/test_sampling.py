"""Chunks of samples: made once, whole, and the same whatever else was made."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from tests.trainer.pipeline.phrases import PHRASES, phrase_model, problems
from tests.trainer.support import tiny_model
from tests.verifier.judge.server import ChatServer, Play, Request, error, says
from trainer.config import ConfigError
from trainer.data import Prompt
from trainer.log import RunError
from trainer.pipeline.filters import Filters, verifying
from trainer.pipeline.sampling import ALL_FAILED, Sampler, prompts_of, sampled, verified
from trainer.pipeline.stage import Service, Settings, StageFailed, Work
from trainer.tokens import Tokenizer
from verifier.client import Item
from verifier.embedded import EmbeddedServer
from verifier.v1.verifier_pb2 import JudgeTask

TOLD = Sampler(samples=3, max_new_tokens=3, template="none", chunk=2, dtype="float32")
RECIPE = verifying(Filters())


def work(directory: Path, address: str) -> Work:
    return Work(directory, {}, Settings(0, "", 1, Service(address=address), None))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return phrase_model(tmp_path_factory.mktemp("sampling") / "model", PHRASES)


@pytest.fixture
def prompts(model: Path, tmp_path: Path) -> list[Prompt]:
    return prompts_of([problems(tmp_path / "problems.jsonl", 5)], Tokenizer(model), "none", 99)


def test_what_is_there_needs_neither_model_nor_service(
    model: Path, prompts: list[Prompt], server: EmbeddedServer, tmp_path: Path
) -> None:
    first = work(tmp_path / "stage", server.address)
    found = list(sampled(first, "a", model, prompts, TOLD, RECIPE))
    assert [prompt.id for prompt, _ in found] == [f"sum-{n}" for n in range(5)]
    assert all([one.number for one in samples] == [0, 1, 2] for _, samples in found)
    assert first.timing["samples_verified"] == 15
    assert first.timing["samples_per_s"] > 0
    second = work(tmp_path / "stage", "127.0.0.1:9")
    (model / "model.safetensors").rename(tmp_path / "away")
    try:
        assert list(sampled(second, "a", model, prompts, TOLD, RECIPE)) == found
    finally:
        (tmp_path / "away").rename(model / "model.safetensors")
    assert second.timing == {}


def test_a_chunk_is_the_same_whatever_else_is_there(
    model: Path, prompts: list[Prompt], server: EmbeddedServer, tmp_path: Path
) -> None:
    told = work(tmp_path / "stage", server.address)
    found = list(sampled(told, "a", model, prompts, TOLD, RECIPE))
    folder = tmp_path / "stage" / "samples" / "a"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(before) == [f"chunk-0000{n}.parquet" for n in range(3)]
    (folder / "chunk-00001.parquet").unlink()
    (folder / ".chunk-00001.parquet.draft").write_bytes(before["chunk-00001.parquet"][:99])
    assert list(sampled(told, "a", model, prompts, TOLD, RECIPE)) == found
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    # Another name draws others.
    assert list(sampled(told, "b", model, prompts, TOLD, RECIPE)) != found


def test_parts_come_back_as_they_were_said(
    model: Path, prompts: list[Prompt], server: EmbeddedServer, tmp_path: Path
) -> None:
    told = work(tmp_path, server.address)
    many = TOLD.model_copy(update={"samples": 32})
    for _, samples in sampled(told, "a", model, prompts, many, RECIPE):
        for one in samples:
            assert [part.name for part in one.parts] == [part.name for part in RECIPE.parts]
            right = one.parts[0].reason == "match"
            assert one.accuracy == one.reward == float(right)
            assert one.finish == "stop" or one.tokens == 3
            if right:
                assert one.extracted == "7"


def test_samples_that_are_not_verified(model: Path, prompts: list[Prompt], tmp_path: Path) -> None:
    told = work(tmp_path, "127.0.0.1:9")
    for _, samples in sampled(told, "a", model, prompts, TOLD, None, verify=False):
        assert {one.status for one in samples} == {"UNSPECIFIED"}
        assert all(one.reward is None and not one.parts for one in samples)


def test_a_response_ends_before_the_stop_text(
    model: Path, prompts: list[Prompt], server: EmbeddedServer, tmp_path: Path
) -> None:
    told = work(tmp_path, server.address)
    plain = TOLD.model_copy(update={"samples": 16})
    stopping = plain.model_copy(update={"stop_text": "</think>"})
    whole = list(sampled(told, "a/1", model, prompts, plain, RECIPE))
    folder = tmp_path / "samples" / "a" / "1"
    folder.rename(tmp_path / "kept")
    cut = list(sampled(told, "a/1", model, prompts, stopping, RECIPE))
    ended = 0
    for (_, one), (_, other) in zip(whole, cut, strict=True):
        for long, short in zip(one, other, strict=True):
            assert short.response == long.response.partition("</think>")[0]
            if "</think>" in long.response:
                assert short.finish == "stop"
                ended += 1
            else:
                assert short.finish == long.finish
    assert ended


def test_failures_are_told_and_are_no_score(
    server: EmbeddedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    item = Item(id="a", prompt="Judge this", response="Well.")
    item.judge.mode = 4
    with caplog.at_level(logging.WARNING):
        [found] = verified(work(tmp_path, server.address), "given", [item], None)
    assert (found.status, found.reward, found.accuracy) == ("INVALID", None, None)
    assert "judge" in found.message
    assert "given: 1 items have no reward" in caplog.text


def test_a_model_without_room_is_refused(prompts: list[Prompt], tmp_path: Path) -> None:
    small = tiny_model(tmp_path / "small", max_position_embeddings=16)
    with pytest.raises(ConfigError, match="max_new_tokens: with the longest prompt"):
        list(sampled(work(tmp_path, "127.0.0.1:9"), "a", small, prompts, TOLD, RECIPE))


def test_samples_are_equal_by_value(
    model: Path, prompts: list[Prompt], server: EmbeddedServer, tmp_path: Path
) -> None:
    [(_, samples)] = sampled(work(tmp_path, server.address), "a", model, prompts[:1], TOLD, RECIPE)
    assert replace(samples[0]) == samples[0] != samples[1]
    assert samples[0].part("format") is not None
    assert samples[0].part("language") is None


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no Parquet at all"])
def test_a_damaged_chunk_is_named_and_made_again_without_it(
    model: Path, prompts: list[Prompt], server: EmbeddedServer, tmp_path: Path, content: bytes
) -> None:
    told = work(tmp_path / "stage", server.address)
    found = list(sampled(told, "a", model, prompts, TOLD, RECIPE))
    path = tmp_path / "stage/samples/a/chunk-00001.parquet"
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"chunk-00001\.parquet: damaged: .*it is made again$"):
        list(sampled(told, "a", model, prompts, TOLD, RECIPE))
    path.unlink()
    assert list(sampled(told, "a", model, prompts, TOLD, RECIPE)) == found


def test_a_chunk_of_other_prompts_is_not_taken_for_these(
    model: Path, prompts: list[Prompt], server: EmbeddedServer, tmp_path: Path
) -> None:
    told = work(tmp_path / "stage", server.address)
    list(sampled(told, "a", model, prompts, TOLD, RECIPE))
    with pytest.raises(RunError, match=r"prompt 'sum-0', wanted 'sum-1'$"):
        list(sampled(told, "a", model, prompts[1:], TOLD, RECIPE))


def test_verdicts_on_other_responses_are_asked_for_again(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    def items(*numbers: int) -> list[Item]:
        found = [Item(id=f"{n}", prompt="3 + 4?", response=f"\\boxed{{{n}}}") for n in numbers]
        for item in found:
            item.math.gold.append("7")
        return found

    told = work(tmp_path, server.address)
    assert [one.accuracy for one in verified(told, "a", items(6, 7), None)] == [0, 1]
    # A refiner that answered one question more in its second life.
    assert [one.accuracy for one in verified(told, "a", items(7, 6, 7), None)] == [1, 0, 1]
    away = work(tmp_path, "127.0.0.1:9")
    assert [one.accuracy for one in verified(away, "a", items(7, 6, 7), None)] == [1, 0, 1]


def test_a_judge_that_is_down_for_all_is_asked_again_by_the_next_life(tmp_path: Path) -> None:
    down = True

    def play(_: Request) -> Play:
        told = {"analysis": "seen", "safety": "safe"}
        return error(400, "down") if down else says(json.dumps(told))

    items = [Item(id=f"{n}", prompt=f"Say {n}", response=f"It is {n}.") for n in range(ALL_FAILED)]
    for item in items:
        item.judge.mode = JudgeTask.HARMLESS
    settings = tmp_path / "judge.toml"
    with ChatServer(play) as chat:
        settings.write_text(f'[[endpoints]]\nurl = "{chat.url}"\nmodel = "judge"\n')
        with EmbeddedServer("--log-level", "error", "--judge", str(settings)) as server:
            told = work(tmp_path, server.address)
            with pytest.raises(StageFailed, match=r"judged: no verdict at all; .*JUDGE_ERROR"):
                verified(told, "judged", items, None)
            # Of few it may be theirs: a text that is too long for the judge, say.
            assert {one.status for one in verified(told, "few", items[:-1], None)} == {
                "JUDGE_ERROR"
            }
            down = False
            found = verified(told, "judged", items, None)
            assert {one.accuracy for one in found} == {1.0}
