"""docs/observability.md names every metric with its labels, and asks only for what there is."""

from __future__ import annotations

import re

import promql_parser

from sandbox import tracing
from tests.conftest import ROOT
from tests.verifier.seeing.test_metrics import ours
from verifier import logs, metrics
from verifier.top import UNREAD

PAGE = (ROOT / "docs/observability.md").read_text()
TABLE = dict(re.findall(r"^\| `(touchstone_\w+)` \|([^|]*)\|", PAGE, re.MULTILINE))
ASKED = [found.replace("\\|", "|") for found in re.findall(r"\| `([^`]*\[5m\][^`]*)` \|", PAGE)]


def test_every_metric_is_there_with_its_labels() -> None:
    expected = {}
    for metric in ours():
        name = metric._name + ("_total" if metric._type == "counter" else "")
        if not name.startswith(("touchstone_judge_", "touchstone_audit_")):
            expected[name] = set(metric._labelnames)
    assert {name: set(re.findall(r"\w+", labels)) for name, labels in TABLE.items()} == expected


def test_the_questions_are_promql_about_metrics_that_there_are() -> None:
    assert len(ASKED) == 10
    names = {metric._name for metric in ours()}
    for question in ASKED:
        promql_parser.parse(question)
        for name in re.findall(r"touchstone_\w+", question):
            assert re.sub(r"_(total|bucket)$", "", name) in names, name


def test_the_figures_are_those_in_force() -> None:
    for text in (
        f"the first {metrics.CALLERS} names",
        f"default {tracing.SHARE:g}",
        f"At most {tracing.QUEUED_SPANS:,} spans",
        f"at most {logs.ID_CHARS} characters",
        f"`{logs.REQUEST_HEADER}`",
    ):
        assert text in PAGE, text
    (unread,) = re.findall(r'reason=~"(no_[^"]*)"', "".join(ASKED))
    assert set(unread.split("|")) == UNREAD
    for field in logs.FIELDS:
        assert f"`{field}`" in PAGE
