"""Packed attention against attention sample by sample, forward and backward."""

from __future__ import annotations

import inspect
import itertools
import random

import pytest
import torch
import torch.nn.functional as F
from torch.nn.attention.varlen import varlen_attn

from trainer import attention
from trainer.attention import Choice, PackedAttention, buckets, packed_positions

CPU = torch.device("cpu")
EQUAL = [6, 6, 6]
SIMILAR = [40, 38, 39, 40]  # one bucket, padded
SCATTERED = [3, 200, 1, 64, 60, 199, 17, 2]
CASES = {"one": [9], "equal": EQUAL, "similar": SIMILAR, "scattered": SCATTERED}


def inputs(lengths, heads=4, kv_heads=2, size=8, dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(sum(lengths), h, size, generator=generator).to(dtype).requires_grad_()
        for h in (heads, kv_heads, kv_heads)
    ]


def by_sample(lengths, q, k, v):
    """Softmax written out, in float64."""
    out = []
    for a, b, c in zip(*(x.double().split(lengths) for x in (q, k, v)), strict=True):
        shared = a.unflatten(1, (b.shape[1], -1))
        scores = torch.einsum("tkgd,skd->kgts", shared, b) / a.shape[-1] ** 0.5
        future = torch.ones(len(a), len(a), dtype=torch.bool).triu(1)
        p = scores.masked_fill(future, float("-inf")).softmax(-1)
        out.append(torch.einsum("kgts,skd->tkgd", p, c).flatten(1, 2))
    return torch.cat(out)


@pytest.mark.parametrize("lengths", CASES.values(), ids=CASES)
@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_equals_attention_of_each_sample(lengths, kv_heads):
    q, k, v = inputs(lengths, kv_heads=kv_heads)
    out, want = PackedAttention(lengths, CPU)(0, q, k, v), by_sample(lengths, q, k, v)
    torch.testing.assert_close(out.double(), want, atol=1e-6, rtol=0)
    weight = torch.randn(out.shape, generator=torch.Generator().manual_seed(1))
    grads = torch.autograd.grad((out * weight).sum(), (q, k, v))
    for mine, theirs in zip(
        grads, torch.autograd.grad((want * weight).sum(), (q, k, v)), strict=True
    ):
        torch.testing.assert_close(mine, theirs, atol=5e-6, rtol=0)


@pytest.mark.parametrize("lengths", CASES.values(), ids=CASES)
def test_equals_sdpa_of_each_sample(lengths):
    q, k, v = inputs(lengths)
    parts = zip(*(x.split(lengths) for x in (q, k, v)), strict=True)
    want = torch.cat(
        [
            F.scaled_dot_product_attention(*(x.transpose(0, 1)[None] for x in part), is_causal=True, enable_gqa=True)[0].transpose(0, 1)
            for part in parts
        ]
    )  # fmt: skip
    torch.testing.assert_close(PackedAttention(lengths, CPU)(0, q, k, v), want, atol=1e-6, rtol=0)


def test_half_precision():
    q, k, v = inputs(SCATTERED, dtype=torch.bfloat16)
    out = PackedAttention(SCATTERED, CPU)(0, q, k, v)
    assert out.dtype == torch.bfloat16
    want = by_sample(SCATTERED, q, k, v)
    # One rounding at the end: half a unit in the last of 8 bits.
    torch.testing.assert_close(out.double(), want, rtol=2**-8, atol=1e-5)
    out.sum().backward()
    assert q.grad is not None
    assert q.grad.dtype == torch.bfloat16


@pytest.mark.parametrize("lengths", [EQUAL, SIMILAR, SCATTERED])
@pytest.mark.parametrize("changed", [0, 1, 2])
def test_nothing_leaks_from_one_sample_to_another(lengths, changed):
    """Another sample's values, even NaN, leave outputs and gradients as they were, to the bit."""
    start = sum(lengths[:changed])
    own = slice(start, start + lengths[changed])
    others = [n for n in range(sum(lengths)) if not own.start <= n < own.stop]
    seen, touched = [], []
    for value in (None, 1e4, float("nan")):
        q, k, v = inputs(lengths)
        if value is not None:
            with torch.no_grad():
                for x in (q, k, v):
                    x[own] = value
        out = PackedAttention(lengths, CPU)(0, q, k, v)
        out.square().sum().backward()
        seen.append([x[others] for x in (out.detach(), q.grad, k.grad, v.grad)])
        touched.append(out[own].detach())
    assert not torch.equal(touched[0], touched[1])
    for other in seen[1:]:
        assert all(torch.equal(a, b) for a, b in zip(seen[0], other, strict=True))


def test_a_token_sees_nothing_after_it():
    q, k, v = inputs(SCATTERED)
    out = PackedAttention(SCATTERED, CPU)(0, q, k, v)
    at = 3 + 100  # in the second sample
    out[at].sum().backward()
    reached = k.grad.abs().sum((1, 2)).nonzero().flatten()
    assert reached.tolist() == list(range(3, at + 1))


def test_positions():
    assert packed_positions([3, 1, 2], CPU).tolist() == [0, 1, 2, 0, 0, 1]
    assert packed_positions([3, 1, 2], CPU).dtype == torch.int64
    prefixes = [None, 0, 3, None]
    assert packed_positions([3, 1, 2, 2], CPU, prefixes).tolist() == [0, 1, 2, 3, 2, 3, 0, 1]


SHARED = {
    "one length": ([4, 6, 6, 6], [None, 0, 0, 0]),
    "many lengths": ([5, 3, 70, 1, 2, 90, 40, 7], [None, 0, 0, 0, None, 4, 4, None]),
    "prefixes last": ([3, 8, 2, 5], [2, 3, None, None]),
}


@pytest.mark.parametrize(("lengths", "prefixes"), SHARED.values(), ids=SHARED)
@pytest.mark.parametrize("exact", [False, True])
def test_shared_prefixes_are_prefixes_repeated(lengths, prefixes, exact):
    """`exact`: the layout that varlen attention is given, with each sample a call of its own."""
    starts = [sum(lengths[:n]) for n in range(len(lengths))]
    spans = [list(range(start, start + size)) for start, size in zip(starts, lengths, strict=True)]
    rows = [
        [*(spans[p] if p is not None else []), *own] for own, p in zip(spans, prefixes, strict=True)
    ]
    q, k, v = inputs(lengths)
    parts = [by_sample([len(r)], q[r], k[r], v[r]) for r in rows]
    want = torch.cat([part[-size:] for part, size in zip(parts, lengths, strict=True)])
    packed = PackedAttention(lengths, CPU, prefixes)
    if exact:
        plan = packed._exact
        ends = packed._ends.tolist()
        assert plan.there is not None
        moved = [plan.there(x) for x in (q, k, v)]
        assert ends[-1] == len(moved[0])
        out = plan.back(by_sample([b - a for a, b in itertools.pairwise(ends)], *moved))
    else:
        out = packed(0, q, k, v)
    torch.testing.assert_close(out.double(), want, atol=1e-6, rtol=0)
    weight = torch.randn(out.shape, generator=torch.Generator().manual_seed(1))
    grads = torch.autograd.grad((out * weight).sum(), (q, k, v))
    for mine, theirs in zip(
        grads, torch.autograd.grad((want * weight).sum(), (q, k, v)), strict=True
    ):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=0)


def test_completions_of_one_prompt_do_not_see_each_other():
    lengths, prefixes = SHARED["many lengths"]
    q, k, v = inputs(lengths)
    packed = PackedAttention(lengths, CPU, prefixes)
    before = packed(0, q, k, v)
    second = slice(8, 78)
    with torch.no_grad():
        for x in (q, k, v):
            x[second] = float("nan")
    after = packed(0, q, k, v)
    assert torch.isnan(after[second]).all()
    assert torch.equal(after[:8], before[:8])
    assert torch.equal(after[78:], before[78:])


def test_a_prefix_with_a_prefix_is_refused():
    with pytest.raises(ValueError, match="prefixes: that of segment 2, 1, has one itself"):
        PackedAttention([2, 2, 2], CPU, [None, 0, 1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_rows_chosen_more_than_once_have_the_sum_of_their_gradients(dtype):
    x = torch.randn(6, 2, 3, dtype=dtype, requires_grad=True)
    index = torch.tensor([4, 1, 4, 0, 4])
    out = Choice(index, 6, CPU)(x)
    assert torch.equal(out, x[index])
    grad = torch.arange(30.0, dtype=dtype).view(5, 2, 3)
    out.backward(grad)
    want = torch.zeros_like(x).index_add(0, index, grad)
    torch.testing.assert_close(x.grad, want)


@pytest.mark.parametrize("lengths", [[], [3, 0, 2]])
def test_a_segment_without_rows_is_refused(lengths):
    with pytest.raises(ValueError, match="every segment needs a row"):
        PackedAttention(lengths, CPU)


def test_rows_that_are_not_the_samples_are_refused():
    q, k, v = inputs([5, 5])
    with pytest.raises(ValueError, match="lengths: sum to 9, there are 10 rows"):
        PackedAttention([5, 4], CPU)(0, q, k, v)


def test_buckets_hold_every_sample_once_and_little_padding():
    rng = random.Random(0)
    lengths = sorted(
        (min(512, 1 + int(rng.lognormvariate(3.7, 1))) for _ in range(300)), reverse=True
    )
    cut = list(buckets(lengths))
    assert [n for part in cut for n in part] == list(range(300))
    padded = sum(len(part) * lengths[part.start] for part in cut)
    assert padded < 1.05 * sum(lengths)
    assert len(cut) < 60


def test_the_names_that_cuda_is_called_by_exist():
    options = attention._flash().keywords
    assert set(options) <= set(inspect.signature(varlen_attn).parameters)
    assert options["window_size"] == (-1, 0)  # as many before, none after
