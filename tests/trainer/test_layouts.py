"""Every layout against one process: the same losses, gradients and weights, whoever holds what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.trainer.layouts import ALONE, CLIP, Case, Seen, differences, trained
from tests.trainer.multiprocess import Ranks
from tests.trainer.support import tiny_model

pytest.importorskip("deepspeed")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model"), initializer_range=0.1)


@pytest.fixture(scope="module")
def alone(model: Path) -> Seen:
    return trained(Case(), model)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a head of its own, and norms of queries and keys."""
    return tiny_model(
        tmp_path_factory.mktemp("other"),
        model_type="qwen3",
        architectures=["Qwen3ForCausalLM"],
        head_dim=8,
        tie_word_embeddings=False,
        initializer_range=0.1,
    )


@pytest.fixture(scope="module")
def two() -> Iterator[Ranks]:
    with Ranks(2) as ranks:
        yield ranks


@pytest.fixture(scope="module")
def four() -> Iterator[Ranks]:
    with Ranks(4) as ranks:
        yield ranks


def same(ranks: Ranks, case: Case, model: Path, alone: Seen) -> None:
    for seen in ranks.run(trained, case, model, seconds=180):
        found = differences(seen, alone)
        assert {name: much for name, much in found.items() if much > 1e-5} == {}


def test_the_numbers_are_not_trivial(alone: Seen) -> None:
    assert all(m["policy/grad_norm"] > 2 * CLIP for m in alone.metrics)
    assert max(float(g.abs().max()) for g in alone.gradient.values()) > 0.01
    assert alone.metrics[-1]["policy/ratio_max"] > 1.001
    assert alone.metrics[-1]["policy/kl"] > 1e-4


def test_one_sample_in_a_micro_batch(model: Path, alone: Seen) -> None:
    found = differences(trained(Case(budget=ALONE), model), alone)
    assert max(found.values()) < 1e-5, found


TWO = [
    Case(tp=2),
    Case(tp=2, sequence_parallel=True),
    Case(),
    *[Case(zero=stage) for stage in (1, 2, 3)],
    *[Case(zero=stage, offload=True) for stage in (2, 3)],
    Case(zero=3, checkpoint_activations=True),
    # One of the ranks has nothing at all, or less than a sample for each pass of the other.
    Case(groups=(7,)),
    *[Case(groups=(7,), zero=stage) for stage in (1, 3)],
    Case(groups=(6,), zero=2, budget=ALONE),
]


@pytest.mark.parametrize("case", TWO, ids=str)
def test_two_ranks(two: Ranks, case: Case, model: Path, alone: Seen) -> None:
    same(two, case, model, alone)


FOUR = [
    Case(tp=2),
    Case(tp=2, sequence_parallel=True, zero=1),
    Case(tp=2, zero=2),
    Case(tp=2, zero=3),
    Case(tp=2, zero=3, sequence_parallel=True, checkpoint_activations=True),
]


@pytest.mark.parametrize("case", FOUR, ids=str)
def test_four_ranks(four: Ranks, case: Case, model: Path, alone: Seen) -> None:
    same(four, case, model, alone)


@pytest.mark.parametrize("case", [Case(tp=2), Case(tp=2, zero=1), Case(tp=2, zero=3)], ids=str)
def test_another_architecture(four: Ranks, case: Case, other: Path) -> None:
    same(four, case, other, trained(Case(), other))


@pytest.mark.parametrize("zero", [1, 2, 3])
def test_bf16(two: Ranks, zero: int, model: Path) -> None:
    """Weights, and so activations, are rounded: what adds up differently, differs by that."""
    alone = trained(Case(dtype="bfloat16"), model)
    for seen in two.run(trained, Case(dtype="bfloat16", zero=zero), model):
        assert seen.metrics[0]["policy/loss"] == pytest.approx(
            alone.metrics[0]["policy/loss"], abs=1e-3
        )
        for name, gradient in alone.gradient.items():
            assert (seen.gradient[name] - gradient).norm() < 0.02 * gradient.norm(), name
        for name, weight in seen.weights.items():
            assert weight.dtype == (
                torch.bfloat16 if name.startswith("weights/") else torch.float32
            )
            if name.startswith("master/"):
                rounded = seen.weights[name.replace("master/", "weights/")]
                assert torch.equal(weight.bfloat16(), rounded)
                assert (weight - alone.weights[name]).abs().max() < 1e-4
