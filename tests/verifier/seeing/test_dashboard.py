"""docs/grafana.json as Grafana and Prometheus read it.

That it names only metrics and labels that there are is in tests/verifier/audit/test_docs.py. There
is no Grafana here; its own models of dashboards (grafana-foundation-sdk, generated from Grafana's
schemas) read the file, and whatever they do not know would be lost on the way.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from tests.conftest import ROOT

TEXT = (ROOT / "docs/grafana.json").read_text()
DASHBOARD: dict[str, Any] = json.loads(TEXT)


def loaded(dashboard: dict[str, Any]) -> tuple[Dashboard, dict[str, Any]]:
    """What Grafana's models make of it, and what they write again."""
    register_default_plugins()
    read = Dashboard.from_json(copy.deepcopy(dashboard))
    return read, json.loads(JSONEncoder(sort_keys=True).encode(read))


def lost(given: Any, kept: Any, path: str = "") -> Iterator[str]:
    """Places whose value the models do not know or changed."""
    if isinstance(given, dict):
        for key, value in given.items():
            if isinstance(kept, dict) and key in kept:
                yield from lost(value, kept[key], f"{path}/{key}")
            else:
                yield f"{path}/{key}"
    elif isinstance(given, list):
        for place, value in enumerate(given):
            if isinstance(kept, list) and place < len(kept):
                yield from lost(value, kept[place], f"{path}/{place}")
            else:
                yield f"{path}/{place}"
    elif given != kept:
        yield path


def test_grafana_knows_every_field() -> None:
    read, written = loaded(DASHBOARD)
    assert list(lost(DASHBOARD, written)) == []
    assert len(read.panels or []) == len(DASHBOARD["panels"]) > 30
    queries = [
        target
        for panel in read.panels or []
        if isinstance(panel, Panel)
        for target in panel.targets or []
    ]
    assert {type(query).__module__.rpartition(".")[2] for query in queries} == {"prometheus"}


@pytest.mark.parametrize("field", ["legendFormatt", "exprs"])
def test_a_field_that_grafana_does_not_know_is_found(field: str) -> None:
    wrong = copy.deepcopy(DASHBOARD)
    wrong["panels"][1]["targets"][0][field] = "x"
    assert list(lost(wrong, loaded(wrong)[1])) == [f"/panels/1/targets/0/{field}"]


def test_every_question_is_promql() -> None:
    asked = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
    for expression in asked:
        promql_parser.parse(expression.replace("$__rate_interval", "1m"))
    with pytest.raises(ValueError, match=r"\w"):
        promql_parser.parse("sum by (task (rate(a[1m]))")


def test_the_file_is_written_as_it_is_compared() -> None:
    assert json.dumps(DASHBOARD, indent=1) + "\n" == TEXT
