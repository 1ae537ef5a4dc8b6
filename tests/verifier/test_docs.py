"""Every item and recipe shown in README.md and docs/verifiers.md is one that a server takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from verifier import jsonl, recipes
from verifier.limits import Limits
from verifier.v1 import verifier_pb2 as pb
from verifier.validate import VERIFIED_TASKS, Offers, problem

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/verifiers.md").read_text()


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


LINES = [
    line
    for page in (PAGE, (ROOT / "README.md").read_text())
    for block in blocks(page, "json")
    for line in block.splitlines()
]


@pytest.mark.parametrize("line", LINES)
def test_every_item_is_one(line: str) -> None:
    item = jsonl.read_item(1, line.encode())
    assert isinstance(item, pb.Item), item
    assert problem(item, Limits(), ["python"], Offers(judge=True)) is None


def test_every_task_but_programs_is_shown() -> None:
    items = [jsonl.read_item(1, line.encode()) for line in LINES]
    shown = {item.WhichOneof("task") for item in items if isinstance(item, pb.Item)}
    assert shown == set(VERIFIED_TASKS) - {"code"}


def test_the_recipe_is_one_and_the_item_carries_the_same() -> None:
    (text,) = blocks(PAGE, "toml")
    recipe = recipes.read(text, "docs/verifiers.md")
    carried = [
        item.inline_recipe
        for item in (jsonl.read_item(1, line.encode()) for line in LINES)
        if isinstance(item, pb.Item) and item.HasField("inline_recipe")
    ]
    assert [one.parts for one in carried] == [recipe.parts]


def test_every_option_is_documented() -> None:
    section = PAGE[PAGE.index("## Format") :]
    for part, kind in recipes.PARTS.items():
        if part != "reward_model":  # docs/judge.md
            assert {name for name in kind.options if f"`{name}`" not in section} == set(), part
