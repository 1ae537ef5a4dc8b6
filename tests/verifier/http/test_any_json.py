"""Whatever JSON comes, the answer is a verdict or a named error; never a 500, never silence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb

PATHS = ["/v1/verify", "/v1/verify_batch", "/openrlhf", "/slime", "/run_code", "/submit"]

# A name of the bodies' fields is as likely as any other text.
NAMES = sorted(
    {field.name for kind in (pb.Item, pb.MathTask, pb.MathPolicy, pb.CodeTask, pb.CodeTest, pb.CodeLimits, pb.ChoiceTask, pb.InstructionsTask, pb.Constraint, pb.Recipe, pb.RecipePart, pb.Batch) for field in kind.DESCRIPTOR.fields}
    | {"query", "prompts", "labels", "label", "files", "completion", "config", "dataset", "provided_data"}
)  # fmt: skip
texts = st.sampled_from([*NAMES, "python", "4", "\\boxed{4}", "B", "r1_zero", "{}", ""]) | st.text()
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([-1, 0, 2**32, 2**64, 10**400, 1e308])
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=6)
    ),
    max_leaves=20,
)
tasks = st.fixed_dictionaries(
    {},
    optional={
        "math": st.fixed_dictionaries({"gold": st.lists(texts, max_size=3)}, optional={"policy": values}),
        "choice": st.fixed_dictionaries({"gold": texts}, optional={"options": st.lists(texts, max_size=4)}),
        "instructions": values,
        "code": values,
        "recipe": texts,
        "inline_recipe": values,
        "deadline_ms": values,
        "meta": st.dictionaries(texts, texts, max_size=3),
    },
)  # fmt: skip
items = tasks.flatmap(
    lambda task: st.fixed_dictionaries({"response": texts}, optional={"prompt": texts, "id": texts})
    .map(lambda own: own | task)
)  # fmt: skip
near = {
    "/v1/verify": items,
    "/v1/verify_batch": st.fixed_dictionaries({"items": st.lists(items | values, max_size=4)}),
    "/openrlhf": st.lists(st.tuples(texts, texts, tasks | values), max_size=4).map(
        lambda rows: {
            "query": [row[0] for row in rows],
            "prompts": [row[1] for row in rows],
            "labels": [row[2] for row in rows],
        }
    ),
    "/slime": st.fixed_dictionaries({"response": texts, "label": tasks | values}),
    "/run_code": st.fixed_dictionaries(
        {"code": st.sampled_from(["print(1)", "1/0", " "]) | values, "language": texts},
        optional={"stdin": values, "run_timeout": values, "memory_limit_MB": values, "files": values},
    ),
    "/submit": st.fixed_dictionaries(
        {"dataset": texts, "id": values, "completion": texts},
        optional={
            "config": values
            | st.fixed_dictionaries(
                {"dataset_type": st.just("CommonOJDataset"), "language": texts},
                optional={"provided_data": st.fixed_dictionaries({"test": values}) | values, "run_timeout": values},
            )
        },
    ),
}  # fmt: skip


def check(path: str, answer: httpx2.Response) -> None:
    kind = answer.headers["content-type"]
    if answer.status_code != 200:
        # 503: an item that got no verdict, which for these bodies is an error.
        assert answer.status_code in (
            (400, 422, 503) if path in ("/openrlhf", "/slime", "/submit") else (400,)
        )
        said = answer.json()
        assert said.keys() == {"error"}
        assert said["error"]
        assert not said["error"].startswith(("internal", "INTERNAL"))
        return
    if path == "/v1/verify_batch":
        assert kind == "application/jsonl"
        verdicts = [json.loads(line)["verdict"] for line in answer.text.splitlines()]
    else:
        assert kind == "application/json"
        verdicts = [answer.json()] if path == "/v1/verify" else []
    for verdict in verdicts:
        assert verdict["status"] not in ("UNSPECIFIED", "INTERNAL"), verdict
        assert (verdict["reward"] is None) == (verdict["status"] != "OK")
        if verdict["status"] == "INVALID":
            assert verdict["evidence"]["message"]


@pytest.mark.parametrize("path", PATHS)
def test_any_json_is_answered(http: httpx2.Client, path: str) -> None:
    @settings(
        max_examples=30,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(near[path] | values)
    @example({"items": [{"math": {"gold": [None]}}]})
    @example({"response": "\ud800", "label": "\ud800", "id": "\udfff"})
    @example({"query": ["\ud800"], "prompts": [""], "labels": ['{"meta": {"\\ud800": "a"}}']})
    def answered(value: Any) -> None:
        body = json.dumps(value).encode()
        check(path, http.post(path, content=body, headers={"Content-Type": "application/json"}))

    answered()


def test_any_bytes_are_answered(http: httpx2.Client) -> None:
    @settings(max_examples=30, deadline=None, derandomize=True, database=None)
    @given(
        st.sampled_from(PATHS),
        st.binary(max_size=64) | st.text(alphabet='{}[]",:0"\\ue', max_size=64).map(str.encode),
    )
    def answered(path: str, body: bytes) -> None:
        check(path, http.post(path, content=body, headers={"Content-Type": "application/json"}))

    answered()


def test_schemathesis_finds_nothing(front: tuple[EmbeddedServer, str], tmp_path: Path) -> None:
    """Bodies from the description, good and bad: no 500, and answers are as described."""
    pytest.importorskip("schemathesis")
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{front[1]}/openapi.json"]
    done = subprocess.run(
        [*command, "--checks", checks, "--max-examples", "20", "--phases", "fuzzing", "--max-time", "5", "--generation-deterministic", "--request-timeout", "30", "--no-color"],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,  # it leaves a folder there
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
