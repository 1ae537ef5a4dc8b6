"""trainer/rollout/sglang.py on a real server."""

from __future__ import annotations

import httpx2
import pytest

from tests.trainer.engines import Server
from tests.trainer.rollout.contract import Contract, Model, prompts
from trainer.model import ModelConfig
from trainer.rollout.engine import EngineError
from trainer.rollout.served import ServedEngine
from trainer.rollout.sglang import SGLangEngine
from trainer.rollout.verify_sync import StaleWeights, SyncCheck


class TestSGLang(Contract):
    """What is true of SGLang alone comes after what is true of both."""

    kind = "sglang"
    ranks = "--tp"
    worker = "sglang::scheduler"
    renormalises = False
    engine_class = SGLangEngine

    def busy(self, server: Server) -> float:
        loads = httpx2.get(f"{server.url}/v1/loads").json()
        return float(loads["loads"][0]["num_running_reqs"])

    def test_a_vocabulary_out_of_sight_is_compared_too(
        self, server: Server, models: list[Model], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("trainer.rollout.sglang.Path.is_file", lambda _: False)
        SGLangEngine(server.url, models[0].config).close()
        for size in (271, 273):
            other = ModelConfig.from_hf({**models[0].config.raw, "vocab_size": size})
            with pytest.raises(EngineError, match=f"not of {size}"):
                SGLangEngine(server.url, other)

    def test_a_sync_that_leaves_weights_out_is_found(
        self, engine: ServedEngine, models: list[Model]
    ) -> None:
        check = SyncCheck(prompts(20, 40), tolerance=0.1)
        missing = "model.layers.1.mlp.down_proj.weight"
        weights = {name: w for name, w in models[1].weights.items() if name != missing}
        engine.sync(weights.items(), 2)  # SGLang itself does not mind
        with pytest.raises(StaleWeights, match="version 2: log-probabilities differ by 0"):
            check(engine, [models[1].scores(ids) for ids in check.sequences])
