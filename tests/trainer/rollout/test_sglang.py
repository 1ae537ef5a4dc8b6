"""trainer/rollout/sglang.py on a real server."""

from __future__ import annotations

import httpx2
import pytest

from tests.trainer.engines import Server
from tests.trainer.rollout.contract import Contract, Model
from trainer.rollout.served import ServedEngine
from trainer.rollout.sglang import SGLangEngine
from trainer.rollout.verify_sync import StaleWeights, SyncCheck


class TestSGLang(Contract):
    """What is true of SGLang alone comes after what is true of both."""

    kind = "sglang"
    engine_class = SGLangEngine

    def busy(self, server: Server) -> float:
        loads = httpx2.get(f"{server.url}/v1/loads").json()
        print(loads)
        return float(loads["loads"][0]["num_running_reqs"])
