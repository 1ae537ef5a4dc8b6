"""The decoder against `transformers`, model by model: logits, gradients, what is refused."""

from __future__ import annotations

import copy
import weakref

import pytest
import torch
import torch.nn.functional as F
import transformers
from torch import nn

from trainer.attention import PackedAttention, packed_positions
from trainer.model import Decoder, ModelConfig, rope_frequencies
from trainer.parallel import Layout, local_slice, shard_of

CPU = torch.device("cpu")
LENGTHS = [7, 1, 30, 5]

SIZES = {
    "vocab_size": 61,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
}
QWEN2 = SIZES | {"model_type": "qwen2"}
QWEN3 = SIZES | {"model_type": "qwen3", "head_dim": 20}
LLAMA = SIZES | {"model_type": "llama"}


def scaled(rope_type, **more):
    return {"rope_parameters": {"rope_type": rope_type, "rope_theta": 500.0, **more}}


LLAMA3 = {
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}
YARN = {"factor": 4.0, "original_max_position_embeddings": 16}

MODELS = {
    "qwen2 untied": QWEN2,
    "qwen2 tied": QWEN2 | {"tie_word_embeddings": True},
    "qwen2.5": QWEN2 | {"tie_word_embeddings": True, "rope_theta": 1e6, "num_attention_heads": 8, "num_key_value_heads": 1, "rms_norm_eps": 1e-5},
    "qwen2 with windows turned off": QWEN2 | {"sliding_window": 4, "use_sliding_window": False, "max_window_layers": 1},
    "qwen3": QWEN3,
    "qwen3 tied": QWEN3 | {"tie_word_embeddings": True},
    "qwen3 with biases": QWEN3 | {"attention_bias": True},
    "llama": LLAMA,
    "llama tied": LLAMA | {"tie_word_embeddings": True},
    "llama, one key head each": LLAMA | {"num_key_value_heads": 4},
    "llama with biases": LLAMA | {"attention_bias": True, "mlp_bias": True},
    "llama with wide heads": LLAMA | {"head_dim": 12},
    "llama, linear": LLAMA | scaled("linear", factor=3.0),
    "llama, dynamic": LLAMA | scaled("dynamic", factor=3.0),
    "llama, llama3": LLAMA | scaled("llama3", **LLAMA3),
    "llama, llama3, old spelling": LLAMA | {"rope_theta": 500.0, "rope_scaling": {"rope_type": "llama3", **LLAMA3}},
    "qwen2, yarn": QWEN2 | scaled("yarn", **YARN),
    "qwen2, yarn, old spelling": QWEN2 | {"rope_theta": 500.0, "rope_scaling": {"type": "yarn", **YARN}},
    "qwen3, yarn in all its options": QWEN3 | scaled("yarn", **YARN, beta_fast=8, beta_slow=2, truncate=False, mscale=0.7, mscale_all_dim=0.4),
    "llama, yarn with its factor": LLAMA | scaled("yarn", **YARN, attention_factor=1.3),
}  # fmt: skip


def peer(raw, seed=0) -> nn.Module:
    """`transformers`' model with random weights, biases and norms too."""
    config = transformers.AutoConfig.for_model(**copy.deepcopy(raw))
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            drawn = torch.randn(parameter.shape, generator=generator) * 0.2
            parameter.copy_(1 + drawn if parameter.dim() == 1 else drawn)
    return model


def ours(raw, model: nn.Module, dtype=torch.float32, **options) -> Decoder:
    decoder = Decoder(ModelConfig.from_hf(raw), dtype=dtype, **options)
    state = model.state_dict()
    if decoder.config.tied:
        del state["lm_head.weight"]
    decoder.load_state_dict(state, strict=True)
    return decoder


def tokens(raw) -> torch.Tensor:
    return torch.randint(
        raw["vocab_size"], (sum(LENGTHS),), generator=torch.Generator().manual_seed(1)
    )


def our_logits(decoder: Decoder, ids: torch.Tensor) -> torch.Tensor:
    hidden = decoder(ids, packed_positions(LENGTHS, CPU), PackedAttention(LENGTHS, CPU))
    return hidden @ decoder.head_weight.T


def their_logits(model: nn.Module, ids: torch.Tensor) -> torch.Tensor:
    return torch.cat([model(sample[None]).logits[0] for sample in ids.split(LENGTHS)])


@pytest.mark.parametrize("raw", MODELS.values(), ids=MODELS)
def test_logits_of_packed_samples_are_transformers(raw):
    model, ids = peer(raw), tokens(raw)
    with torch.no_grad():
        theirs = their_logits(model, ids)
        assert theirs.std() > 0.3  # or the tolerance would say nothing
        torch.testing.assert_close(our_logits(ours(raw, model), ids), theirs, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "name", ["qwen2 tied", "qwen3 with biases", "llama with biases", "llama, llama3"]
)
@pytest.mark.parametrize("recompute", [False, True])
def test_gradients_are_transformers(name, recompute):
    raw = MODELS[name]
    model, ids = peer(raw), tokens(raw)
    decoder = ours(raw, model, checkpoint_activations=recompute)
    weight = torch.randn(len(ids), raw["vocab_size"], generator=torch.Generator().manual_seed(2))
    (our_logits(decoder, ids).log_softmax(-1) * weight).mean().backward()
    (their_logits(model, ids).log_softmax(-1) * weight).mean().backward()
    theirs = dict(model.named_parameters())
    for parameter_name, parameter in decoder.named_parameters():
        want = theirs[parameter_name].grad
        assert want.abs().max() > 1e-5
        torch.testing.assert_close(parameter.grad, want, atol=1e-6, rtol=1e-4, msg=parameter_name)


def test_half_precision_is_as_near_to_the_truth_as_transformers():
    raw = MODELS["qwen3 with biases"]
    exact, rounded, ids = peer(raw), peer(raw).to(torch.bfloat16), tokens(raw)
    with torch.no_grad():
        exact.load_state_dict(rounded.float().state_dict())
        truth, theirs = their_logits(exact, ids), their_logits(rounded.to(torch.bfloat16), ids)
        mine = our_logits(ours(raw, rounded, torch.bfloat16), ids)
    assert mine.dtype == torch.bfloat16
    assert (mine - truth).abs().mean() < 1.2 * (theirs - truth).abs().mean()


def test_half_precision_gradients():
    raw = MODELS["qwen2 tied"]
    model, ids = peer(raw).to(torch.bfloat16), tokens(raw)
    decoder, wide = ours(raw, model, torch.bfloat16), ours(raw, model.float())
    for one in (decoder, wide):
        our_logits(one, ids).float().log_softmax(-1)[:, 3].mean().backward()
    for (name, rounded), exact in zip(decoder.named_parameters(), wide.parameters(), strict=True):
        assert rounded.grad.dtype == torch.bfloat16, name
        error = (rounded.grad.float() - exact.grad).norm() / exact.grad.norm()
        assert error < 0.05, name


def test_recomputed_activations_give_the_same_bits():
    raw = MODELS["qwen3"]
    model, ids = peer(raw), tokens(raw)
    kept, recomputed = (ours(raw, model, checkpoint_activations=flag) for flag in (False, True))
    for decoder in (kept, recomputed):
        our_logits(decoder, ids).logsumexp(-1).sum().backward()
    for a, b in zip(kept.parameters(), recomputed.parameters(), strict=True):
        assert torch.equal(a.grad, b.grad)


@pytest.mark.parametrize("recompute", [False, True])
def test_what_goes_into_the_last_product_is_not_kept(monkeypatch, recompute):
    raw = MODELS["qwen3"]
    decoder, made = ours(raw, peer(raw), checkpoint_activations=recompute), []

    def noted(gate, up):
        inner = F.silu(gate) * up
        made.extend(weakref.ref(one) for one in (gate, inner))
        return inner

    monkeypatch.setattr("trainer.model._swiglu", noted)
    loss = our_logits(decoder, tokens(raw)).logsumexp(-1).sum()
    alive = [one() is not None for one in made]
    # Its own input is kept, but for layers that are computed anew as a whole.
    assert alive == [not recompute, False] * raw["num_hidden_layers"]
    loss.backward()
    assert len(made) == 2 * 2 * raw["num_hidden_layers"]


def test_frequencies_are_transformers():
    for name, raw in MODELS.items():
        theirs = peer(raw).model.rotary_emb
        frequencies, scale = rope_frequencies(ModelConfig.from_hf(raw))
        torch.testing.assert_close(frequencies, theirs.inv_freq, rtol=2e-7, atol=0, msg=name)
        assert scale == pytest.approx(theirs.attention_scaling, rel=1e-12), name


def test_config_goes_out_as_it_came_in():
    raw = MODELS["qwen2, yarn, old spelling"] | {
        "architectures": ["Qwen2ForCausalLM"],
        "eos_token_id": [1, 2],
        "unknown": {"to": "us"},
    }
    before = copy.deepcopy(raw)
    assert ModelConfig.from_hf(raw).to_hf() == before == raw


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"model_type": "qwen3_moe"},
            "model_type must be one of qwen2, qwen3, llama, got 'qwen3_moe'",
        ),
        ({"hidden_act": "gelu"}, "hidden_act must be 'silu', got 'gelu'"),
        ({"attention_dropout": 0.1}, "attention_dropout must be 0, got 0.1"),
        ({"quantization_config": {"bits": 4}}, "quantization_config must be None"),
        ({"use_sliding_window": True, "max_window_layers": 2}, "use_sliding_window must be false"),
        (
            {"layer_types": ["full_attention", "sliding_attention"]},
            "layer_types must be 'full_attention' throughout",
        ),
        (
            {"rope_scaling": {"type": "longrope", "factor": 2.0}},
            "rope_type must be one of default, linear",
        ),
        (
            {"rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.5}},
            "partial_rotary_factor must be 1, got 0.5",
        ),
        ({"vocab_size": None}, "vocab_size must be a number, got None"),
        ({"num_key_value_heads": 3}, "num_key_value_heads must be a divisor of 4 heads, got 3"),
    ],
)
def test_what_the_decoder_cannot_do_is_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message):
        ModelConfig.from_hf(QWEN2 | changes)


@pytest.mark.parametrize(
    ("tp", "changes", "message"),
    [
        (3, {}, "parallel.tp: must divide num_heads 4, got 3"),
        (4, {}, "parallel.tp: must divide num_kv_heads 2, got 4"),
        (2, {"intermediate_size": 49}, "parallel.tp: must divide intermediate_size 49, got 2"),
        (
            4,
            {"num_key_value_heads": 4, "vocab_size": 5},
            "parallel.tp: 4 leaves a rank none of vocab_size 5",
        ),
    ],
)
def test_tensor_parallelism_that_does_not_fit_is_refused(tp, changes, message):
    with pytest.raises(ValueError, match=message):
        Decoder(ModelConfig.from_hf(QWEN2 | changes), Layout(tp=tp))


PROMPTS = [[5, 6, 7, 8], [9, 10]]
COMPLETIONS = [[[11, 12, 13], [14], [15, 16, 17, 18, 19, 20, 21]], [[22, 23], [24, 25, 26]]]


def shared_prompts():
    """Prompts once, completions after them: ids, lengths, prefixes, rows that predict completions."""
    ids, lengths, prefixes, rows = list[int](), list[int](), list[int | None](), list[int]()
    for prompt, completions in zip(PROMPTS, COMPLETIONS, strict=True):
        parent, end = len(lengths), len(ids) + len(prompt) - 1
        ids += prompt
        lengths.append(len(prompt))
        prefixes.append(None)
        for completion in completions:
            rows += [end, *range(len(ids), len(ids) + len(completion) - 1)]
            ids += completion
            lengths.append(len(completion))
            prefixes.append(parent)
    return torch.tensor(ids), lengths, prefixes, torch.tensor(rows)


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("choose", [False, True])
def test_prompts_shared_by_their_completions_are_prompts_repeated(recompute, choose):
    """Values and all gradients, also where the decoder itself keeps only the rows asked for."""
    raw = MODELS["qwen3 with biases"]
    model = peer(raw)
    repeated, shared = ours(raw, model), ours(raw, model, checkpoint_activations=recompute)
    samples = [p + c for p, cs in zip(PROMPTS, COMPLETIONS, strict=True) for c in cs]
    lengths = [len(sample) for sample in samples]
    flat = torch.tensor([token for sample in samples for token in sample])
    want = repeated(flat, packed_positions(lengths, CPU), PackedAttention(lengths, CPU))
    starts = [sum(lengths[:n]) for n in range(len(lengths))]
    at = [
        start + row
        for start, sample, size in zip(
            starts, samples, [len(c) for cs in COMPLETIONS for c in cs], strict=True
        )
        for row in range(len(sample) - size - 1, len(sample) - 1)
    ]
    want = want[at]
    ids, segments, prefixes, rows = shared_prompts()
    call = (
        ids,
        packed_positions(segments, CPU, prefixes),
        PackedAttention(segments, CPU, prefixes),
    )
    got = shared(*call, rows) if choose else shared(*call)[rows]
    torch.testing.assert_close(got, want, atol=1e-5, rtol=0)
    weight = torch.randn(want.shape, generator=torch.Generator().manual_seed(3))
    for out in (got, want):
        (out * weight).sum().backward()
    for (name, a), b in zip(shared.named_parameters(), repeated.parameters(), strict=True):
        if name != "lm_head.weight":
            torch.testing.assert_close(a.grad, b.grad, atol=1e-4, rtol=1e-4, msg=name)


def test_new_weights_are_the_same_for_every_layout_and_differ_by_seed():
    config = ModelConfig.from_hf(QWEN3 | {"attention_bias": True})
    whole = Decoder(config, seed=3)
    for rank in (0, 1):
        layout = Layout(tp=2, tp_rank=rank)
        shard = Decoder(config, layout, seed=3)
        for (name, full), part in zip(whole.named_parameters(), shard.parameters(), strict=True):
            assert torch.equal(part, local_slice(full, shard_of(full)[0], layout)), name
    weights = whole.model.layers[1].mlp.up_proj.weight
    assert weights.std().item() == pytest.approx(0.02, rel=0.1)
    assert not torch.equal(weights, Decoder(config, seed=4).model.layers[1].mlp.up_proj.weight)


def test_a_cache_of_keys_and_values_sees_what_packed_attention_sees():
    """One token at a time through an `Attend` of its own equals one packed pass."""
    raw = MODELS["qwen3"]
    decoder = ours(raw, peer(raw))
    ids = tokens(raw)[:9]
    seen: dict[int, list[tuple[torch.Tensor, torch.Tensor]]] = {}

    def cached(layer, q, k, v):
        seen.setdefault(layer, []).append((k, v))
        keys, values = (torch.cat(x) for x in zip(*seen[layer], strict=True))
        shared = q.unflatten(1, (k.shape[1], -1))
        scores = torch.einsum("tkgd,skd->tkgs", shared, keys) / q.shape[-1] ** 0.5
        return torch.einsum("tkgs,skd->tkgd", scores.softmax(-1), values).flatten(1, 2)

    with torch.no_grad():
        packed = decoder(ids, packed_positions([9], CPU), PackedAttention([9], CPU))
        steps = [decoder(ids[n : n + 1], torch.tensor([n]), cached) for n in range(9)]
    torch.testing.assert_close(torch.cat(steps), packed, atol=1e-5, rtol=0)
