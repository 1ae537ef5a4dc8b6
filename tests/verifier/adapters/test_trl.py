"""A real GRPO run of TRL's trainer, with rewards from a real service."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from verifier.adapters.rows import Columns, Sample, item_of
from verifier.assembly import start_sandbox
from verifier.embedded import EmbeddedServer
from verifier.engine import Engine
from verifier.limits import Limits
from verifier.math.verify import MathVerifier
from verifier.settings import Settings
from verifier.v1 import verifier_pb2 as pb

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / "build" / "peers" / "trl" / "bin" / "python"
STEPS = 20


@pytest.fixture
def client_packages(tmp_path: Path) -> Path:
    """A folder with grpc and protobuf alone, for an interpreter that has neither."""
    for name in ("grpc", "google"):
        found = find_spec(name)
        assert found is not None
        assert found.submodule_search_locations is not None
        (tmp_path / "client").mkdir(exist_ok=True)
        (tmp_path / "client" / name).symlink_to(next(iter(found.submodule_search_locations)))
    return tmp_path / "client"


async def in_process(items: Sequence[pb.Item]) -> list[pb.Verdict]:
    """What the verifiers say without a server."""
    sandbox = await start_sandbox(Settings(sandbox="none"))
    math = MathVerifier(workers=1, symbolic_timeout_s=5, max_queued=100)
    try:
        engine = Engine(Limits(), math, sandbox, await sandbox.describe())
        return [await engine.verify(item) for item in items]
    finally:
        await math.close()
        await sandbox.close()


def test_a_run_gets_the_rewards_of_the_verifiers(
    server: EmbeddedServer, client_packages: Path
) -> None:
    if not PYTHON.exists():
        pytest.skip("no build/peers/trl with TRL (python -m tests.verifier.adapters.peers trl)")
    done = subprocess.run(
        [str(PYTHON), "-m", "tests.verifier.adapters.grpo_case", server.address, str(STEPS)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=300,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{client_packages}", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-5000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    seen = found["seen"]
    assert len(seen) == STEPS * 16

    scorable = [one for one in seen if one["solution"] is not None or one["choice"] is not None]
    columns = Columns({"math": "solution"}, {})
    items = [
        item_of(Sample({k: v for k, v in one.items() if k not in ("response", "reward")},
                       one["response"], "row"), columns, None)
        for one in scorable
    ]  # fmt: skip
    verdicts = asyncio.run(in_process(items))
    assert [one["reward"] for one in scorable] == [verdict.reward for verdict in verdicts]
    assert all(verdict.HasField("reward") for verdict in verdicts)
    assert len({one["reward"] for one in scorable}) > 10  # shares of words, and not all alike

    # What has no task has no reward, and trains nothing: TRL's advantage of it is 0.
    masked = [place for place, one in enumerate(seen) if one not in scorable]
    assert len(masked) == STEPS * 4
    assert all(seen[place]["reward"] is None for place in masked)
    assert {found["advantages"][place] for place in masked} == {0.0}
    assert any(found["advantages"])
    assert [log["touchstone/failed"] for log in found["logs"]] == [0.25] * STEPS
