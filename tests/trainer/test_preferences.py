"""Preferences within a group: a response's rivals are the others of its group, on a real service
with a judge that follows a script."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.trainer.support import metrics, recipe, tiny_model
from tests.verifier.judge.server import ChatServer, Play, Request, says
from trainer.collect import Collector, check_groups, lacks_rivals
from trainer.config import ConfigError
from trainer.data import Prompt
from trainer.grpo import train
from trainer.log import read_rollouts
from trainer.parallel import SINGLE
from trainer.run import Run
from trainer.tokens import Tokenizer
from verifier.client import Item
from verifier.embedded import EmbeddedServer
from verifier.v1.verifier_pb2 import ChoiceTask, PreferenceTask

RARE = "jkqvwxzJKQVWXZ"
ANSWERS = re.compile(r"Answer A:\n(.*?)\n\nAnswer B:\n(.*?)\n\nBegin", re.DOTALL)


def worth(text: str) -> int:
    return sum(map(text.count, RARE))


def by_rare_letters(request: Request) -> Play:
    """Prefers what has more of them."""
    found = ANSWERS.search(request.body["messages"][-1]["content"])
    assert found is not None
    a, b = worth(found[1]), worth(found[2])
    verdict = "A=B" if a == b else "A>>B" if a > b else "B>>A"
    return says(json.dumps({"analysis": "by its letters", "verdict": verdict}))


@pytest.fixture(scope="module")
def judge() -> Iterator[ChatServer]:
    with ChatServer(by_rare_letters) as server:
        yield server


@pytest.fixture(scope="module")
def service(
    judge: ChatServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedServer]:
    settings = tmp_path_factory.mktemp("judge") / "judge.toml"
    settings.write_text(f'[[endpoints]]\nurl = "{judge.url}"\nmodel = "judge"\n')
    options = ("--log-level", "warning", "--sandbox", "none", "--judge", str(settings))
    with EmbeddedServer(*options) as server:
        yield server


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("preferences") / "model")


def asked(path: Path, **preference: str) -> Path:
    rows = [
        {
            "id": f"letters-{n}",
            "prompt": f"{n}: write",
            "preference": {"mode": "HELPFUL"} | preference,
        }
        for n in range(4)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_group_is_compared_with_itself(
    judge: ChatServer, service: EmbeddedServer, model: Path, tmp_path: Path
) -> None:
    data, before = asked(tmp_path / "data.jsonl"), len(judge.requests)
    train(
        recipe(
            tmp_path / "run", model, data,
            rollout={"prompts_per_rollout": 2, "group_size": 5},
            reward={"address": service.address}, run={"steps": 2},
        )
    )  # fmt: skip
    for step in range(2):
        rows = read_rollouts(tmp_path / "run", step)
        assert len(rows) == 10
        for place in range(2):
            group = [row for row in rows if row.group == place]
            rewards = [row.reward or 0.0 for row in group]
            # A win is another's loss; an empty response is 0 whatever its strength would be.
            assert sum(rewards) / 5 == pytest.approx(0.5, abs=0.02)
            for one in group:
                for other in group:
                    if worth(one.response) > worth(other.response):
                        assert (one.reward or 0) > (other.reward or 0)
    assert all(line["reward/failed_share"] == 0 for line in metrics(tmp_path / "run"))
    # Of each group every pair once, by four queries at most.
    assert 0 < len(judge.requests) - before <= 2 * 2 * 10 * 4


def prompt(item: Item) -> Prompt:
    return Prompt("p", "p", (1,), item)


def test_only_what_has_no_rival_gets_the_group(model: Path) -> None:
    collector = Collector(None, None, Tokenizer(model), SINGLE, None)
    said = ["one", "two", "three"]
    alone = Item(preference=PreferenceTask(mode=PreferenceTask.HELPFUL))
    items = [collector._item(prompt(alone), n, said) for n in range(3)]
    assert [item.response for item in items] == said
    assert [list(item.preference.rivals) for item in items] == [
        ["two", "three"], ["one", "three"], ["one", "two"],
    ]  # fmt: skip
    assert lacks_rivals(alone), "the prompt's own item is left as it is"
    for task in (
        Item(preference=PreferenceTask(rival="r")),
        Item(preference=PreferenceTask(rivals=["a", "b"])),
        Item(choice=ChoiceTask(gold="A")),
    ):
        item = collector._item(prompt(task), 0, said)
        item.ClearField("id")
        item.ClearField("response")
        assert item == task


def test_a_group_too_large_to_compare_is_refused_at_once(model: Path, tmp_path: Path) -> None:
    data = asked(tmp_path / "data.jsonl")
    told = recipe(
        tmp_path / "run", model, data, rollout={"group_size": 17}, algorithm={"mini_batches": 1}
    )
    with pytest.raises(
        ConfigError,
        match=r"^rollout\.group_size: from 2 to 16 where responses are compared .*'letters-0'.* 17$",
    ):
        Run(told).read()
    fits = told.model_copy(update={"rollout": told.rollout.model_copy(update={"group_size": 16})})
    Run(fits).read()
    alone = told.eval.model_copy(update={"path": data, "samples": 1})
    with pytest.raises(ConfigError, match=r"^eval\.samples: from 2 to 16 .*, got 1$"):
        Run(fits.model_copy(update={"eval": alone})).read()


def test_rivals_of_ones_own_allow_any_group(tmp_path: Path) -> None:
    rival = prompt(Item(preference=PreferenceTask(rival="r")))
    check_groups([rival], 64, "rollout.group_size")
    check_groups([replace(rival, item=Item(preference=PreferenceTask()))], 2, "eval.samples")
    check_groups([], 1, "eval.samples")
