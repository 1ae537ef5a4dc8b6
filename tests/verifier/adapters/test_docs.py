"""docs/adapters.md and docs/examples say what is there."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import sys
from pathlib import Path

import pytest

from verifier.adapters.core import Options, Rewarder

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/adapters.md").read_text()
EXAMPLES = sorted((ROOT / "docs/examples").glob("*.py"))
ADAPTERS = ROOT / "verifier/adapters"
SHARED = {"__init__", "batching", "core", "rows"}


def test_every_example_is_linked_and_every_link_is_there() -> None:
    linked = set(re.findall(r"\(examples/([\w.]+)\)", PAGE))
    assert linked == {path.name for path in (ROOT / "docs/examples").iterdir() if path.is_file()}


def test_every_adapter_has_an_example() -> None:
    told = "".join(
        path.read_text() for path in (ROOT / "docs/examples").iterdir() if path.is_file()
    )
    adapters = {path.stem for path in ADAPTERS.glob("*.py")} - SHARED
    assert {name for name in adapters if f"verifier.adapters.{name}" not in told} == set()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_what_an_example_imports_of_ours_is_there(path: Path) -> None:
    """It is read, not run, where the trainer is missing."""
    text = path.read_text()
    named = set(re.findall(r"verifier\.adapters\.(\w+):(\w+)", text))
    for node in ast.walk(ast.parse(text, str(path))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            "verifier.adapters."
        ):
            named |= {(str(node.module).rpartition(".")[2], alias.name) for alias in node.names}
    assert named
    for adapter, name in named:
        body = ast.parse((ADAPTERS / f"{adapter}.py").read_text()).body
        assert name in {node.name for node in body if hasattr(node, "name")}


LIGHT = ("openrlhf_reward", "slime_reward", "areal_reward", "verifiers_reward", "rllm_evaluator")


@pytest.mark.parametrize("name", LIGHT)
def test_an_example_without_its_trainer_can_be_imported(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.spec_from_file_location(name, ROOT / f"docs/examples/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    made = [value for key, value in vars(module).items() if callable(value) and key[0].islower()]
    assert made


def test_the_options_and_their_defaults_are_those_of_the_code() -> None:
    section = PAGE[PAGE.index("| option |") : PAGE.index("## From a row")]
    told = dict(re.findall(r"^\| `(\w+)` \| (\S+) \|", section, re.MULTILINE))
    assert set(told) == set(Options.__annotations__)
    defaults = inspect.signature(Rewarder).parameters
    for name in ("wait_seconds", "timeout_s", "batch_items", "window_ms"):
        assert float(told[name]) == defaults[name].default, name
    assert told["on_failure"] == f"`{defaults['on_failure'].default}`"


def test_the_policies_are_those_of_the_code() -> None:
    rows = PAGE[: PAGE.index("| option |")].splitlines()
    for adapter in sorted({path.stem for path in ADAPTERS.glob("*.py")} - SHARED):
        source = (ADAPTERS / f"{adapter}.py").read_text()
        limited = re.search(r'policies = \[|policies=\("raise", "zero"\)|rewarder_of\(', source)
        name = {"verl_manager": "verl"}.get(adapter, adapter)
        example = {"verifiers_rubric": "verifiers_environment"}.get(name, name)
        row = next(row for row in rows if f"(examples/{example}" in row)
        assert ("| all |" in row) == (limited is None), adapter
        assert ("| `raise`, `zero`, `mask` |" in row) == ("mask_sample" in source), adapter
