"""trainer/rollout/vllm.py on a real server."""

from __future__ import annotations

import httpx2
import pytest
import torch

from tests.trainer.engines import Server
from tests.trainer.rollout.contract import Contract, Model, close, prompts
from trainer.rollout.engine import EngineError, Request, Sampling
from trainer.rollout.served import ServedEngine
from trainer.rollout.vllm import VLLMEngine


class TestVLLM(Contract):
    """What is true of vLLM alone comes after what is true of both."""

    kind = "vllm"
    ranks = "--tensor-parallel-size"
    worker = "VLLM::Worker"
    renormalises = True
    engine_class = VLLMEngine

    def busy(self, server: Server) -> float:
        lines = httpx2.get(f"{server.url}/metrics").text.splitlines()
        found = [line for line in lines if line.startswith("vllm:num_requests_running")]
        return float(found[0].split()[-1])

    def test_the_same_seeds_give_the_same_tokens(self, engine: ServedEngine) -> None:
        requests = [Request(ids, seed) for seed, ids in enumerate(prompts(30, 8))]
        first = dict(engine.generate(requests, Sampling(40)))
        again = dict(engine.generate(requests[::-1], Sampling(40)))
        assert all(first[n].ids == again[29 - n].ids for n in range(30))
        same = [Request(requests[0].ids, seed) for seed in range(30)]
        assert len({one.ids for _, one in engine.generate(same, Sampling(40))}) == 30

    def test_a_sync_that_leaves_weights_out_is_refused(
        self, engine: ServedEngine, models: list[Model]
    ) -> None:
        missing = "model.layers.1.mlp.down_proj.weight"
        weights = {name: w for name, w in models[1].weights.items() if name != missing}
        with pytest.raises(EngineError, match=missing):
            engine.sync(weights.items(), 2)
        assert engine.version == 1
        with pytest.raises(EngineError, match="sync of version 2 failed"):
            list(engine.generate([Request((1,), 0)], Sampling(2)))
        engine.sync(models[1].weights.items(), 2)
        assert len(list(engine.generate([Request((1,), 0)], Sampling(2)))) == 1

    def test_weights_of_another_shape_are_refused(
        self, engine: ServedEngine, models: list[Model]
    ) -> None:
        wrong = {**models[1].weights, "model.norm.weight": torch.ones(63)}
        with pytest.raises(EngineError, match="sync of version 2"):
            engine.sync(wrong.items(), 2)
        engine.sync(models[1].weights.items(), 2)
        close(engine, models[1])
