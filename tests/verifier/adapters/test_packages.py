"""Adapters under the trainers' own packages, each in an environment of its own (peers.py)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.adapters.peers import PEERS, ROOT, python_of, ready
from verifier.embedded import EmbeddedServer


def run(name: str, program: str, address: str, cwd: Path) -> Any:
    """What the program prints as JSON in its last line, under a package's interpreter."""
    if not ready(name):
        pytest.skip(f"no {PEERS[name]} (python -m tests.verifier.adapters.peers {name})")
    done = subprocess.run(
        [python_of(name), "-c", program, address],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return json.loads(done.stdout.splitlines()[-1])


SKYRL = r"""
import json, sys
import skyrl_gym
from skyrl_gym.envs.registration import register

register(
    id="touchstone",
    entry_point="verifier.adapters.skyrl:TouchstoneEnv",
    kwargs={"address": sys.argv[1], "columns": {"math": "answer"}},
)
found = []
for said in (r"\boxed{4}", r"\boxed{5}"):
    env = skyrl_gym.make(
        "touchstone", env_config={}, extras={"reward_spec": {"ground_truth": None}, "answer": "4"}
    )
    env.init([{"role": "user", "content": "2+2?"}])
    step = env.step(said)
    found.append([step["reward"], step["done"], step["metadata"]])
print(json.dumps(found))
"""


def test_skyrl_gym(server: EmbeddedServer, tmp_path: Path) -> None:
    found = run("skyrl", SKYRL, server.address, tmp_path)
    assert found == [[1.0, True, {"status": "OK"}], [0.0, True, {"status": "OK"}]]


RUBRIC = r"""
import asyncio, json, sys
import verifiers as vf
from verifier.adapters.core import NoReward
from verifier.adapters.verifiers_rubric import TouchstoneRubric

def half(completion, **_):
    return 0.5

def state(said, answer, n):
    return vf.State(
        prompt=[{"role": "user", "content": "2+2?"}],
        completion=[{"role": "assistant", "content": said}],
        answer=answer, info={}, task="default", example_id=n, trajectory=[],
    )

async def main():
    rubric = TouchstoneRubric(sys.argv[1], weight=2.0)
    rubric.add_reward_func(half, weight=1.0)
    states = [state(r"\boxed{4}", "4", 0), state(r"\boxed{5}", "4", 1), state("B", '{"choice": "B"}', 2)]
    await rubric.score_group(states)
    alone = state(r"\boxed{4}", "4", 3)
    await rubric.score_rollout(alone)
    errors = []
    for address, answer in ((sys.argv[1], None), ("127.0.0.1:1", "4")):
        failing = TouchstoneRubric(address, wait_seconds=0)
        for score in (
            lambda: failing.score_group([state("x", answer, 7)]),
            lambda: failing.score_rollout(state("x", answer, 7)),
        ):
            try:
                await score()
                errors.append("")
            except NoReward as error:
                errors.append(str(error))
    print(json.dumps([[one["reward"] for one in states], alone["reward"], alone["metrics"], errors]))

asyncio.run(main())
"""


def test_verifiers_rubric(server: EmbeddedServer, tmp_path: Path) -> None:
    rewards, alone, metrics, errors = run("verifiers-rubric", RUBRIC, server.address, tmp_path)
    assert rewards == [2.5, 0.5, 2.5]
    assert (alone, metrics) == (2.5, {"touchstone": 1.0, "half": 0.5})
    assert ["'example 7' INVALID" in error for error in errors] == [True, True, False, False]
    assert ["UNAVAILABLE" in error for error in errors] == [False, False, True, True]


TASK = r"""
import asyncio, json, sys
import verifiers.v1 as vf
from verifier.adapters.verifiers_reward import for_service

strict, lost = for_service(sys.argv[1]), for_service("127.0.0.1:1", wait_seconds=0)

class Data(vf.TaskData):
    answer: str | dict | None = None

def task(reward):
    class Sum(vf.Task[Data]):
        @vf.reward(weight=2.0)
        async def touchstone(self, task, trace):
            return await reward(task, trace)
    return Sum

class Trace:
    # What a reward reads of verifiers/v1/trace.py, and what Task.score records on it.
    is_truncated = False
    def __init__(self, said, thought=None):
        message = vf.AssistantMessage(content=said, reasoning_content=thought)
        self.assistant_messages, self.metrics, self.rewards = [message], {}, {}
    def record_reward(self, name, value, weight=1.0):
        self.rewards[name] = value * weight

async def main():
    found, errors = [], []
    for said, answer in ((r"\boxed{4}", "4"), (r"\boxed{5}", "4"), ("B", {"choice": "B"})):
        trace = Trace(said, "hm")
        await task(strict)(Data(idx=1, prompt="2+2?", answer=answer)).score(trace)
        found.append(trace.rewards)
    for reward, answer in ((strict, None), (lost, "4")):
        trace = Trace("x")
        try:
            await task(reward)(Data(idx=5, prompt="2+2?", answer=answer)).score(trace)
        except vf.TaskError as error:
            errors.append([str(error), trace.rewards])
    print(json.dumps([found, errors]))

asyncio.run(main())
"""


def test_verifiers_task(server: EmbeddedServer, tmp_path: Path) -> None:
    found, errors = run("verifiers", TASK, server.address, tmp_path)
    assert found == [{"touchstone": 2.0}, {"touchstone": 0.0}, {"touchstone": 2.0}]
    assert [rewards for _, rewards in errors] == [{"touchstone": None}] * 2
    assert "NoReward: 1 items have no reward; first: 'task 5' INVALID" in errors[0][0]
    assert "UNAVAILABLE" in errors[1][0]
