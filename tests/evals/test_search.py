"""`touchstone-eval search` against a scripted endpoint and a real verification server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evals.cli import app
from evals.search import Search
from evals.strategies import StrategyError
from tests.evals.support import NAME, data_folder, draw, stream
from tests.verifier.judge.server import ChatServer, Play, Request, error
from verifier.embedded import EmbeddedServer

CONTINUES = ["--extra-body", '{"continue_final_message": true}']


def grows(request: Request) -> Play:
    """One step of thinking, then an answer that is right three times in four."""
    question, begun = (message["content"] for message in request.body["messages"][-2:])
    assert request.body["continue_final_message"]
    if begun == "<think>\n":
        return stream("Both are the same.")
    n = int(question.split("What is ")[1].split()[0])
    return stream(f"So.</think>It is \\boxed{{{2 * n + (draw(request) > 0.75)}}}.")


def searched(
    url: str, verifier: str, folder: Path, strategy: str, *more: str
) -> tuple[int, dict[str, Any], str]:
    told = CliRunner().invoke(
        app,
        [
            "search", "--model", url, "--model-name", NAME, "--benchmarks", "aime24",
            "--data", str(folder / "data"), "--out", str(folder / "out"),
            "--strategy", strategy, "--verifier", verifier, "--recipe", "r1_zero",
            "--part", "format", *CONTINUES, *more,
        ],
    )  # fmt: skip
    return told.exit_code, json.loads(told.stdout or "{}"), told.stderr


@pytest.mark.parametrize("strategy", ["rebase:4", "mcts:16"])
def test_a_search_goes_on_with_the_next_question(
    tmp_path: Path, server: EmbeddedServer, strategy: str
) -> None:
    data_folder(tmp_path / "data", 4)
    with ChatServer(grows) as chat:
        _, begun, _ = searched(chat.url, server.address, tmp_path, strategy, "--limit", "2")
        asked = len(chat.requests)
        status, found, said = searched(chat.url, server.address, tmp_path, strategy)
        assert (status, said) == (0, "")
        later = {request.body["messages"][-2]["content"] for request in chat.requests[asked:]}
    assert len(later) == 2
    assert 0.5 <= found["aime24"][strategy] <= 1
    assert begun["aime24"]["share_without_a_score"] == 0
    path = tmp_path / "out" / "aime24" / "searches.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert sorted(record["question"] for record in records) == ["own-0", "own-1", "own-2", "own-3"]
    for record in records:
        texts = [solution["text"] for solution in record["solutions"]]
        assert all(text.startswith("<think>\nBoth are") and "\\boxed" in text for text in texts)


def test_a_question_that_is_refused_is_a_share_and_no_end(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    data_folder(tmp_path / "data", 4)

    def short(request: Request) -> Play:
        asked = request.body["messages"][-2]["content"]
        return error(400, "too long") if "2 + 2" in asked else grows(request)

    with ChatServer(short) as chat:
        status, found, said = searched(chat.url, server.address, tmp_path, "rebase:2")
        assert (status, found["aime24"]["share_without_a_score"]) == (1, 0.25)
        assert "25.00% of aime24 has no score, --max-failed is 1.00%" in " ".join(said.split())
        more = ("--max-failed", "0.3")
        assert searched(chat.url, server.address, tmp_path, "rebase:2", *more)[0] == 0
    path = tmp_path / "out" / "aime24" / "searches.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert [one["question"] for one in records if "too long" in one["error"]] == ["own-2"] * 2
    with ChatServer(grows) as chat:
        status, found, _ = searched(chat.url, server.address, tmp_path, "rebase:2")
        assert {request.body["messages"][-2]["content"][8:13] for request in chat.requests} == {
            "2 + 2"
        }
    assert (status, found["aime24"]["share_without_a_score"]) == (0, 0)


def test_a_recipe_that_the_server_has_not_is_named(tmp_path: Path, server: EmbeddedServer) -> None:
    data_folder(tmp_path / "data", 2)
    with ChatServer(grows) as chat:
        for more, message in (
            (("--recipe", "mine"), "recipe 'mine' gave no score of format: "),
            (("--part", "reward_model"), "'r1_zero' gave no score of reward_model: it has no such"),
        ):
            status, _, said = searched(chat.url, server.address, tmp_path, "rebase:2", *more)
            assert (status, message in " ".join(said.split())) == (2, True), said
    assert not (tmp_path / "out" / "aime24" / "searches.jsonl").read_text()


def test_what_is_no_search_is_refused(tmp_path: Path, server: EmbeddedServer) -> None:
    data_folder(tmp_path / "data", 2)
    with ChatServer(grows) as chat:
        for strategy in ("rebase", "rebase:0", "beam:4"):
            status, _, said = searched(chat.url, server.address, tmp_path, strategy)
            assert (status, chat.requests) == (2, [])
            assert f"rebase:WIDTH or mcts:BUDGET, got '{strategy}'" in " ".join(said.split())


@pytest.mark.parametrize(
    ("opening", "text", "done"),
    [
        ("<think>\n", "<think>\nMaybe \\boxed{3}", False),
        ("<think>\n", "<think>\nx</think>\\boxed{3}", True),
        ("<think>\n", "<think>\n\\boxed{3}</think>So", False),
        ("Answer: ", "Answer: \\boxed{3}", True),
    ],
)
def test_a_box_while_thinking_is_no_end(opening: str, text: str, done: bool) -> None:
    assert Search("rebase:2", "r1", opening=opening).done(text) is done


def test_sizes_are_numbers() -> None:
    with pytest.raises(StrategyError, match="got 'mcts:²'"):
        Search("mcts:²", "r1").strategy(None, None)  # type: ignore[arg-type]
