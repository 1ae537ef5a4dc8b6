"""The commands of docs/audit.md do what it says; the dashboard asks for metrics that there are."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

import verifier.metrics
from tests.conftest import ROOT
from tests.verifier.audit.support import items, read
from tests.verifier.test_docs import blocks
from verifier.audit import metrics, recorder
from verifier.embedded import READY_PREFIX, EmbeddedServer
from verifier.judge import canary
from verifier.judge import metrics as judge_metrics

MODULES = (verifier.metrics, judge_metrics, canary, metrics)

PAGE = (ROOT / "docs/audit.md").read_text()


def test_the_commands(server: EmbeddedServer, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    given = items(4)
    lines = [
        json.dumps({"id": one.id, "response": one.response, "math": {"gold": ["4"]}})
        for one in given
    ]
    (tmp_path / "items.jsonl").write_text("\n".join(lines) + "\n")
    (block,) = [text for text in blocks(PAGE, "") if "touchstone" in text]
    place = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": place}
    assert shutil.which("touchstone", path=place), "the package is not installed"
    for command in block.splitlines():
        if "--replay" in command:  # it would start one of its own each time
            command += f" --address {server.address}"
        shell = subprocess.Popen(
            f"exec {command}", shell=True, cwd=tmp_path, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert shell.stdout is not None
        if "serve" in command:
            assert shell.stdout.readline().startswith(READY_PREFIX)
            shell.terminate()
        said, errors = shell.communicate(timeout=60)
        assert shell.returncode == 0, (command, said, errors)
        if "--replay" in command:
            assert json.loads(said.splitlines()[-1])["replay"]["unchanged"] == 4
    assert [one.item for one in read(tmp_path / "audit.jsonl")] == given


def test_the_figures_and_names_are_those_in_force() -> None:
    for text in (
        f"more than {recorder.QUEUE_BYTES >> 20} MiB (and one record) waits",
        f"MiB ({recorder.FILE_BYTES >> 20})",
        f"{recorder.CLOSE_SECONDS:g} s for what waits",
        f"at the latest after {recorder.LOG_SECONDS:g} s",
        f"the last {recorder.GATHER_SECONDS:g} s",
    ):
        assert text in PAGE, text
    named = set(re.findall(r"`(touchstone_audit_\w+)`", PAGE))
    assert named == {
        sample
        for metric in (metrics.WRITTEN, metrics.DROPPED, metrics.QUEUED, metrics.FAILING)
        for sample in _samples(metric._name)
    }


DASHBOARD = json.loads((ROOT / "docs/grafana.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_the_dashboard_asks_for_metrics_that_there_are(panel: dict[str, Any]) -> None:
    known = {sample: set(labels) for name, labels in _served().items() for sample in _samples(name)}
    assert panel["targets"]
    for target in panel["targets"]:
        asked = re.findall(r"touchstone_\w+", target["expr"])
        assert asked
        for name in asked:
            assert name in known, name
        labels = known[asked[0]] | {"le"}
        by = [
            word
            for group in re.findall(r"by \(([^)]*)\)", target["expr"])
            for word in group.split(", ")
        ]
        assert set(by) <= labels
        assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= set(by)
        assert target["datasource"]["uid"] == "${prometheus}"


def test_the_dashboard_leaves_no_metric_out_and_no_panel_over_another() -> None:
    text = json.dumps(PANELS)
    assert [name for name in _served() if name not in text] == []
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    taken = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) < 24
    (variable,) = DASHBOARD["templating"]["list"]
    assert (variable["name"], variable["type"]) == ("prometheus", "datasource")


def _served() -> dict[str, tuple[str, ...]]:
    """The metrics of a server, each with its labels."""
    found = [one for module in MODULES for one in vars(module).values()]
    return {one._name: one._labelnames for one in found if isinstance(one, MetricWrapperBase)}


def _samples(name: str) -> list[str]:
    """The names under which a metric is served, without those of times of creation."""
    kinds = {family.name: family.type for family in REGISTRY.collect()}
    ends = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}
    return [name + end for end in ends[kinds[name]]]
