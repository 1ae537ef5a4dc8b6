"""A client in another language: the contract alone is enough."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format

from tests.verifier.support import ADD, code_item, math_item
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb

ROOT = Path(__file__).parents[3]
PACKAGES = {"@grpc/grpc-js": "1.14.7", "@grpc/proto-loader": "0.8.1"}
INSTALL_SECONDS = 120


@pytest.fixture(scope="module")
def modules() -> Path:
    """Where Node finds gRPC; installed below build/ at the first time."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no Node, or no npm")
    folder = ROOT / "build/node"
    found = folder / "node_modules"
    if not all((found / name / "package.json").exists() for name in PACKAGES):
        folder.mkdir(parents=True, exist_ok=True)
        wanted = [f"{name}@{version}" for name, version in PACKAGES.items()]
        command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", *wanted]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm install took more than {INSTALL_SECONDS} s")
        if done.returncode:
            pytest.skip(f"npm install failed: {done.stderr.strip()[-200:]}")
    return found


def test_a_node_client_verifies_a_batch(server: EmbeddedServer, modules: Path) -> None:
    items = [math_item(f"item-{n}", str(n % 3), gold="1") for n in range(1000)]
    items += [
        code_item("accepted", ADD),
        code_item("rejected", "print(3)\n"),
        pb.Item(id="no task 🙂", response="4"),
        pb.Item(id="recipe", response="\\boxed{4}", math=pb.MathTask(gold=["4"]), recipe="dapo"),
    ]
    body = {
        "items": [json_format.MessageToDict(i, preserving_proto_field_name=True) for i in items]
    }
    done = subprocess.run(
        ["node", str(Path(__file__).with_name("client.cjs")), str(ROOT / "proto"), server.address],
        input=json.dumps(body),
        env=os.environ | {"NODE_PATH": str(modules)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert [task["name"] for task in told["told"]["tasks"]][:2] == ["math", "code"]
    for verdicts in (told["batch"], told["stream"]):
        assert [verdict["id"] for verdict in verdicts] == [item.id for item in items]
        for n in range(1000):
            assert (verdicts[n]["status"], verdicts[n]["reward"]) == ("OK", float(n % 3 == 1))
            reason = "match" if n % 3 == 1 else "no_match"
            assert verdicts[n]["parts"][0]["reason"] == reason
        assert [verdict["reward"] for verdict in verdicts[1000:1002]] == [1, 0]
        assert verdicts[1001]["evidence"]["code"]["tests"][1]["got"] == "3\n"
        invalid = verdicts[1002]
        assert invalid["status"] == "INVALID"
        assert invalid["evidence"]["message"].startswith("task: exactly one of math, code,")
        assert "reward" not in invalid  # absent, not 0: no score is made up
        assert verdicts[1003]["reward"] == 1
    assert told["refused"] == {"code": 3, "details": "Batch.items: at most 16384 items, got more"}
