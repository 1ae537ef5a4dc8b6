"""One server of each engine for all tests that leave it alive."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.trainer.engines import Server, served, tiny_model

pytest.register_assert_rewrite("tests.trainer.rollout.contract")


@pytest.fixture(scope="session")
def sglang_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """SGLang, serving a tied model: the one whose head is easily forgotten in a sync."""
    directory = tmp_path_factory.mktemp("sglang")
    with served("sglang", tiny_model(directory / "model", tied=True), directory) as server:
        yield server


@pytest.fixture(scope="session")
def vllm_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same for vLLM."""
    directory = tmp_path_factory.mktemp("vllm")
    with served("vllm", tiny_model(directory / "model", tied=True), directory) as server:
        yield server
