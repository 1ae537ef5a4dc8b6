"""Products by either library: values and gradients as torch's own."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from trainer import products

HAS_ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")

sizes = st.integers(1, 40)


@pytest.fixture(params=["torch", "onednn"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "onednn" and not HAS_ONEDNN:
        pytest.skip("torch was built without oneDNN")
    monkeypatch.setattr(products, "_ONEDNN", request.param == "onednn")
    return str(request.param)


def drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).requires_grad_()


def close(found: Tensor | None, wanted: Tensor | None) -> None:
    assert found is not None
    assert wanted is not None
    assert found.shape == wanted.shape
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("biased", [True, False])
def test_linear_has_the_values_and_gradients_of_float64(library: str, biased: bool) -> None:
    @settings(max_examples=30, deadline=None)
    @given(rows=sizes, inputs=sizes, outputs=sizes)
    def check(rows: int, inputs: int, outputs: int) -> None:
        x, weight = drawn(rows, inputs, seed=1), drawn(outputs, inputs, seed=2)
        bias = drawn(outputs, seed=3) if biased else None
        slope = drawn(rows, outputs, seed=4).detach()
        found = products.linear(x, weight, bias)
        given_ = [one for one in (x, weight, bias) if one is not None]
        wide = [one.detach().double().requires_grad_() for one in given_]
        wanted = F.linear(*wide)
        close(found, wanted.float())
        gradients = torch.autograd.grad(found, given_, slope)
        expected = torch.autograd.grad(wanted, wide, slope.double())
        for one, other in zip(gradients, expected, strict=True):
            close(one, other.float())

    check()


@pytest.mark.parametrize(
    "slope",
    [
        torch.ones(()).expand(6, 5),
        torch.arange(5.0).expand(6, 5),
        torch.arange(30.0).view(5, 6).T,
        torch.arange(120.0).view(12, 10)[::2, ::2],
    ],
    ids=["constant", "one row", "transposed", "every other"],
)
def test_a_gradient_may_lie_in_memory_as_it_likes(library: str, slope: Tensor) -> None:
    x, weight = drawn(6, 4, seed=1), drawn(5, 4, seed=2)
    found = torch.autograd.grad(products.linear(x, weight), (x, weight), slope)
    wanted = torch.autograd.grad(F.linear(x, weight), (x, weight), slope.clone())
    for one, other in zip(found, wanted, strict=True):
        close(one, other)


def test_a_gradient_that_nobody_needs_is_not_made(library: str) -> None:
    x, weight = drawn(5, 4, seed=1), drawn(3, 4, seed=2)
    products.linear(x.detach(), weight).sum().backward()
    assert weight.grad is not None
    frozen = weight.detach()
    products.linear(x, frozen).sum().backward()
    assert x.grad is not None
    assert frozen.grad is None


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_a_product_is_scaled(library: str, scale: float) -> None:
    a, b = drawn(7, 5, seed=1).detach(), drawn(9, 5, seed=2).detach()
    close(products.product(a, b, scale), (scale * (a.double() @ b.double().T)).float())
    # A transposed view, as the backward pass has it.
    close(products.product(a, b.T.contiguous().T), (a.double() @ b.double().T).float())


def test_no_rows_are_no_rows(library: str) -> None:
    x, weight = drawn(0, 4, seed=1), drawn(3, 4, seed=2)
    found = products.linear(x, weight)
    assert found.shape == (0, 3)
    found.sum().backward()
    assert weight.grad is not None
    assert not weight.grad.any()


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_types_are_torchs(library: str, dtype: torch.dtype) -> None:
    x, weight = (drawn(6, 4, seed=seed).detach().to(dtype) for seed in (1, 2))
    assert torch.equal(products.linear(x, weight), F.linear(x, weight))


def test_the_same_product_has_the_same_bits(library: str) -> None:
    x, weight = drawn(300, 64, seed=1), drawn(48, 64, seed=2)

    def gradients() -> tuple[Tensor, ...]:
        found = products.linear(x, weight)
        return (found, *torch.autograd.grad(found.square().sum(), (x, weight)))

    for one, other in zip(gradients(), gradients(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("dtype", "rows", "spare"),
    [(torch.float32, 65, 63), (torch.float32, 64, 0), (torch.bfloat16, 65, 0)],
)
def test_rows_are_spared_where_onednn_multiplies(
    library: str, dtype: torch.dtype, rows: int, spare: int
) -> None:
    found = products.spare_rows(rows, torch.ones(2, 2, dtype=dtype))
    assert found == (spare if library == "onednn" else 0)
