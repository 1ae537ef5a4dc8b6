"""One readable decoder for the dense Qwen2, Qwen2.5, Qwen3 and Llama architectures.

Everything works on flat token rows [T, ...]: which rows see each other is the business of the
`Attend` that a call is given, so the same weights serve packed training and a key-value cache.
Parameters bear Hugging Face's names, and `config.json` goes out as it came in.

Not covered: mixtures of experts, sliding windows, dropout, quantised weights; each is refused by
name. "Dynamic" RoPE scaling is taken at the lengths the model was made for, where it does nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.checkpoint import checkpoint

from trainer.attention import Choice
from trainer.fused import fused
from trainer.parallel import (
    SINGLE,
    ColumnLinear,
    Layout,
    RowLinear,
    VocabEmbedding,
    apply,
    compute_dtype,
    enter_parallel,
    gather_rows,
    local_slice,
    make_parameter,
    shard_of,
    sum_gradient,
    wide,
)
from trainer.products import spare_rows

MODEL_TYPES = ("qwen2", "qwen3", "llama")
ROPE_TYPES = ("default", "linear", "dynamic", "llama3", "yarn")


@dataclass(frozen=True)
class ModelConfig:
    """What the decoder reads of a Hugging Face config.json, absent keys as `transformers` has
    them; `raw` is the whole of it."""

    model_type: str
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    rms_norm_eps: float
    max_positions: int
    tied: bool
    """Whether the head's weight is the embedding's."""
    qkv_bias: bool
    out_bias: bool
    mlp_bias: bool
    qk_norm: bool
    """Whether queries and keys are normalised, head by head, before they are rotated."""
    initializer_range: float
    """Standard deviation of new weights."""
    rope: Mapping[str, Any]
    """`rope_type`, `rope_theta` and what the type needs."""
    raw: Mapping[str, Any] = field(repr=False)

    @staticmethod
    def from_hf(raw: Mapping[str, Any]) -> ModelConfig:
        """Raises ValueError naming the key that is missing or that the decoder cannot honour."""
        kind = raw.get("model_type")
        if kind not in MODEL_TYPES:
            raise _refusal("model_type", kind, f"one of {', '.join(MODEL_TYPES)}")
        sizes = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers")
        for key in (*sizes, "num_attention_heads"):
            if not isinstance(raw.get(key), int):
                raise _refusal(key, raw.get(key), "a number")
        heads = raw["num_attention_heads"]
        kv_heads = raw.get("num_key_value_heads", None if kind == "llama" else 32) or heads
        if heads % kv_heads:
            raise _refusal("num_key_value_heads", kv_heads, f"a divisor of {heads} heads")
        head_dim = raw.get("head_dim", 128 if kind == "qwen3" else None)
        _refuse_unsupported(raw)
        bias = bool(raw.get("attention_bias", False))
        return ModelConfig(
            model_type=kind,
            vocab_size=raw["vocab_size"],
            hidden_size=raw["hidden_size"],
            intermediate_size=raw["intermediate_size"],
            num_layers=raw["num_hidden_layers"],
            num_heads=heads,
            num_kv_heads=kv_heads,
            head_dim=head_dim or raw["hidden_size"] // heads,
            rms_norm_eps=raw.get("rms_norm_eps", 1e-6),
            max_positions=_max_positions(raw),
            tied=bool(raw.get("tie_word_embeddings", False)),
            qkv_bias=bias or kind == "qwen2",
            out_bias=bias and kind != "qwen2",
            mlp_bias=kind == "llama" and bool(raw.get("mlp_bias", False)),
            qk_norm=kind == "qwen3",
            initializer_range=raw.get("initializer_range", 0.02),
            rope=_rope(raw),
            raw=dict(raw),
        )

    def to_hf(self) -> dict[str, Any]:
        """The contents of config.json, as they were read."""
        return dict(self.raw)


def _refusal(key: str, value: Any, wanted: str) -> ValueError:
    return ValueError(f"config.json: {key} must be {wanted}, got {value!r}")


def _refuse_unsupported(raw: Mapping[str, Any]) -> None:
    required = {
        "hidden_act": "silu",
        "attention_dropout": 0,
        "partial_rotary_factor": 1,
        "quantization_config": None,
    }
    for key, value in required.items():
        if raw.get(key, value) != value:
            raise _refusal(key, raw[key], repr(value))
    layers = raw["num_hidden_layers"]
    if raw.get("use_sliding_window") and raw.get("max_window_layers", 28) < layers:
        raise _refusal("use_sliding_window", True, "false: every layer attends to all tokens")
    for kind in raw.get("layer_types") or ():
        if kind != "full_attention":
            raise _refusal("layer_types", kind, "'full_attention' throughout")


def _max_positions(raw: Mapping[str, Any]) -> int:
    default = 2048 if raw["model_type"] == "llama" else 32768
    return int(raw.get("max_position_embeddings", default))


def _rope(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Of both spellings: `rope_parameters`, or `rope_theta` beside `rope_scaling`."""
    rope = dict(raw.get("rope_scaling") or raw.get("rope_parameters") or {})
    rope.setdefault("rope_type", rope.pop("type", "default"))
    rope.setdefault("rope_theta", raw.get("rope_theta", 10000.0))
    rope.setdefault("original_max_position_embeddings", _max_positions(raw))
    if "original_max_position_embeddings" in raw:
        rope["original_max_position_embeddings"] = raw["original_max_position_embeddings"]
    if rope["rope_type"] not in ROPE_TYPES:
        raise _refusal("rope_type", rope["rope_type"], f"one of {', '.join(ROPE_TYPES)}")
    if rope.get("partial_rotary_factor", 1) != 1:
        raise _refusal("partial_rotary_factor", rope["partial_rotary_factor"], "1")
    return rope


def rope_frequencies(config: ModelConfig) -> tuple[Tensor, float]:
    """(radians for each position [D/2] in fp32, factor on cosine and sine)."""
    rope, dim = config.rope, config.head_dim
    kind, base = rope["rope_type"], rope["rope_theta"]
    own = 1.0 / torch.pow(base, torch.arange(0, dim, 2, dtype=torch.float) / dim)
    if kind in ("default", "dynamic"):
        return own, 1.0
    factor, made_for = rope["factor"], rope["original_max_position_embeddings"]
    if kind == "linear":
        return own / factor, 1.0
    if kind == "llama3":
        # Frequencies that turn less than `low` times in the length it was made for are slowed.
        low, high = rope["low_freq_factor"], rope["high_freq_factor"]
        turns = made_for / (2 * math.pi / own)
        smooth = ((turns - low) / (high - low)).clamp(0, 1)
        return (1 - smooth) * own / factor + smooth * own, 1.0
    # YaRN, arXiv 2309.00071: dimensions by how often they turn, section 3.2; the factor, 3.4.
    factor = factor or config.max_positions / made_for

    def dimension(turns: float) -> float:
        return dim * math.log(made_for / (turns * 2 * math.pi)) / (2 * math.log(base))

    low, high = dimension(rope.get("beta_fast") or 32), dimension(rope.get("beta_slow") or 1)
    if rope.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, dim - 1)
    ramp = (torch.arange(dim // 2) - low) / (high - low or 0.001)
    keep = 1 - ramp.clamp(0, 1)

    def magnitude(scale: float) -> float:
        return 0.1 * scale * math.log(factor) + 1.0 if factor > 1 else 1.0

    scale = rope.get("attention_factor")
    if scale is None:
        over, under = rope.get("mscale"), rope.get("mscale_all_dim")
        scale = magnitude(over) / magnitude(under) if over and under else magnitude(1)
    return own / factor * (1 - keep) + own * keep, float(scale)


class Attend(Protocol):
    """How tokens see each other: packed samples, or a cache of keys and values."""

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """q [T, Hq/tp, D]; k, v [T, Hkv/tp, D] -> [T, Hq/tp, D]. q and k are rotated already."""


class _RmsNorm(torch.autograd.Function):
    """In fp32, with a third of the passes over memory that torch's own takes on a CPU."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        wide = x.float()
        scale: Tensor = torch.linalg.vecdot(wide, wide).div_(x.shape[-1]).add_(eps).rsqrt_()
        ctx.save_for_backward(x, weight, scale)
        y: Tensor = (wide * scale[..., None]).mul_(weight)
        return y.to(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        saved, weight, scale = ctx.saved_tensors
        size = len(weight)
        x, g, w = saved.reshape(-1, size).float(), grad.reshape(-1, size).float(), weight.float()
        scale = scale.flatten()
        product = g * x
        d_weight = scale @ product
        # d_x = scale w g - x scale^3 mean(w g x)
        back = (product @ w).mul_(scale).mul_(scale).mul_(scale).div_(-size)
        d_x = torch.mul(g, w, out=product).mul_(scale[:, None]).addcmul_(x, back[:, None])
        return d_x.view(grad.shape).to(grad.dtype), d_weight.to(weight.dtype), None


class Norm(nn.Module):
    """x / rms(x) * weight over the last dimension (arXiv 1910.07467). `partial` says that a rank
    sees its own rows or heads only, so that the weight's gradient is summed over the ranks."""

    def __init__(self, size: int, eps: float, layout: Layout, partial: bool, **make: Any) -> None:
        super().__init__()
        self.weight = make_parameter((size,), None, layout, **make)
        self.eps, self.layout, self.partial = eps, layout, partial

    def forward(self, x: Tensor) -> Tensor:
        weight = sum_gradient(self.weight, self.layout) if self.partial else self.weight
        if x.is_cuda:
            return F.rms_norm(x, weight.shape, weight, self.eps)
        return cast(Tensor, apply(_RmsNorm, x, weight, self.eps))


@fused
def _turn(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """The pairs turned, with dimensions in their order; the compiler knows no complex numbers."""
    a, b = wide(x).chunk(2, -1)
    return torch.cat([a * cosine - b * sine, b * cosine + a * sine], -1).to(x.dtype)


class _Rotate(torch.autograd.Function):
    """Turns the pair (x_i, x_i+D/2) of every head by its row's angle (arXiv 2104.09864), as one
    complex number. What comes out has a head's dimensions in the order 0, D/2, 1, D/2+1, ... on a
    CPU: attention does not mind, queries and keys have the same, and it saves half of the time."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, turns: Tensor, back: Tensor) -> Tensor:
        ctx.save_for_backward(back)
        if x.is_cuda:
            return _turn(x, *torch.view_as_real(turns).unbind(-1))
        pairs = torch.complex(*wide(x).chunk(2, -1)).mul_(turns)
        return torch.view_as_real(pairs).flatten(-2).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (back,) = ctx.saved_tensors
        if grad.is_cuda:
            return _turn(grad, *torch.view_as_real(back).unbind(-1)), None, None
        pairs = torch.view_as_complex(wide(grad).unflatten(-1, (-1, 2))) * back
        return torch.cat([pairs.real, pairs.imag], -1).to(grad.dtype), None, None


Turns = tuple[Tensor, Tensor]
"""Each row's turns there and back: [T, 1, D/2] complex."""


class Attention(nn.Module):
    """Grouped-query attention: whole rows in, see RowLinear for what comes out."""

    def __init__(self, config: ModelConfig, layout: Layout, sp: bool, **make: Any) -> None:
        super().__init__()
        self.head_dim = config.head_dim
        hidden, bias = config.hidden_size, config.qkv_bias
        q, kv = config.num_heads * self.head_dim, config.num_kv_heads * self.head_dim
        self.q_proj = ColumnLinear(hidden, q, layout, bias=bias, **make)
        self.k_proj = ColumnLinear(hidden, kv, layout, bias=bias, **make)
        self.v_proj = ColumnLinear(hidden, kv, layout, bias=bias, **make)
        self.o_proj = RowLinear(q, hidden, layout, bias=config.out_bias, sp=sp, **make)
        if config.qk_norm:
            norm = (self.head_dim, config.rms_norm_eps, layout, True)
            self.q_norm, self.k_norm = Norm(*norm, **make), Norm(*norm, **make)
        self.qk_norm = config.qk_norm

    def forward(
        self, x: Tensor, layer: int, turns: Turns, attend: Attend, keep: Choice | None
    ) -> Tensor:
        q, k, v = (
            project(x).unflatten(-1, (-1, self.head_dim))
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        if self.qk_norm:
            q, k = self.q_norm(q), self.k_norm(k)
        padding = len(x) - len(turns[0])  # rows at the end that no token stands in
        if padding:
            q, k, v = q[:-padding], k[:-padding], v[:-padding]
        q, k = apply(_Rotate, q, *turns), apply(_Rotate, k, *turns)
        out = attend(layer, q, k, v).flatten(1)
        if keep is not None:
            return cast(Tensor, self.o_proj(keep(out)))
        return cast(Tensor, self.o_proj(F.pad(out, (0, 0, 0, padding)) if padding else out))


class _SwiGlu(torch.autograd.Function):
    """silu(gate) * up, without silu's value kept for the backward pass."""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, up: Tensor) -> Tensor:
        ctx.save_for_backward(gate, up)
        return _swiglu(gate, up)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        return _swiglu_backward(grad, *ctx.saved_tensors)


@fused
def _swiglu(gate: Tensor, up: Tensor) -> Tensor:
    return F.silu(gate).mul_(up)


@fused
def _swiglu_backward(grad: Tensor, gate: Tensor, up: Tensor) -> tuple[Tensor, Tensor]:
    return torch.ops.aten.silu_backward(grad * up, gate), F.silu(gate).mul_(grad)


def _computed_again(x: Tensor, compute: Callable[[], Tensor]) -> saved_tensors_hooks:
    """For the backward pass, what is done with x in this block keeps how to compute it instead."""
    place = x.data_ptr()
    return saved_tensors_hooks(
        lambda kept: compute if kept.data_ptr() == place else kept,
        lambda kept: kept if isinstance(kept, Tensor) else kept(),
    )


class Mlp(nn.Module):
    """SwiGLU (arXiv 2002.05202): whole rows in, see RowLinear for what comes out. `again` computes
    what goes into the last product anew in the backward pass: a fifth of a layer's activations."""

    def __init__(
        self, config: ModelConfig, layout: Layout, sp: bool, again: bool, **make: Any
    ) -> None:
        super().__init__()
        self.again = again
        hidden, inner, bias = config.hidden_size, config.intermediate_size, config.mlp_bias
        self.gate_proj = ColumnLinear(hidden, inner, layout, bias=bias, **make)
        self.up_proj = ColumnLinear(hidden, inner, layout, bias=bias, **make)
        self.down_proj = RowLinear(inner, hidden, layout, bias=bias, sp=sp, **make)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_proj(x), self.up_proj(x)
        inner = apply(_SwiGlu, gate, up)
        if not (self.again and torch.is_grad_enabled()):
            return cast(Tensor, self.down_proj(inner))
        with _computed_again(inner, partial(_swiglu, gate.detach(), up.detach())):
            return cast(Tensor, self.down_proj(inner))


class Layer(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)), on whole rows or this rank's."""

    def __init__(
        self, config: ModelConfig, layout: Layout, sp: bool, again: bool, **make: Any
    ) -> None:
        super().__init__()
        self.layout, self.sp = layout, sp
        norm = (config.hidden_size, config.rms_norm_eps, layout, sp)
        self.self_attn = Attention(config, layout, sp, **make)
        self.mlp = Mlp(config, layout, sp, again, **make)
        self.input_layernorm = Norm(*norm, **make)
        self.post_attention_layernorm = Norm(*norm, **make)

    def forward(
        self, x: Tensor, layer: int, turns: Turns, attend: Attend, keep: Choice | None
    ) -> Tensor:
        """`keep`: the rows that go on from here, None for all."""
        y = enter_parallel(self.input_layernorm(x), self.layout, self.sp)
        y = self.self_attn(y, layer, turns, attend, keep)
        x = (x if keep is None else keep(x[: keep.rows])) + y
        y = enter_parallel(self.post_attention_layernorm(x), self.layout, self.sp)
        return x + cast(Tensor, self.mlp(y))


class Trunk(nn.Module):
    """What Hugging Face calls `model`: all but the head."""

    def __init__(
        self, config: ModelConfig, layout: Layout, sp: bool, again: bool, **make: Any
    ) -> None:
        super().__init__()
        self.embed_tokens = VocabEmbedding(
            config.vocab_size, config.hidden_size, layout, sp=sp, **make
        )
        self.layers = nn.ModuleList(
            Layer(config, layout, sp, again, **make) for _ in range(config.num_layers)
        )
        self.norm = Norm(config.hidden_size, config.rms_norm_eps, layout, sp, **make)


class Decoder(nn.Module):
    """The model without its head's product, which `token_logprobs` makes in chunks.

    `sequence_parallel` splits the rows between layers over the TP ranks, and with them the norms
    and the activations kept for them. `checkpoint_activations` keeps each layer's input alone and
    computes the rest anew in the backward pass. `seed` draws the weights, alike for every layout;
    None leaves them unset, for a loader to fill.

    Raises ValueError where `layout.tp` does not divide heads, key-value heads or intermediate size,
    or leaves a rank without vocabulary.
    """

    def __init__(
        self,
        config: ModelConfig,
        layout: Layout = SINGLE,
        *,
        sequence_parallel: bool = False,
        checkpoint_activations: bool = False,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        seed: int | None = 0,
    ) -> None:
        super().__init__()
        for name in ("num_heads", "num_kv_heads", "intermediate_size"):
            if (count := getattr(config, name)) % layout.tp:
                raise ValueError(f"parallel.tp: must divide {name} {count}, got {layout.tp}")
        if -(-config.vocab_size // layout.tp) * (layout.tp - 1) >= config.vocab_size:
            raise ValueError(
                f"parallel.tp: {layout.tp} leaves a rank none of vocab_size {config.vocab_size}"
            )
        self.config, self.layout = config, layout
        self.sequence_parallel = sequence_parallel and layout.tp > 1
        self.checkpoint_activations = checkpoint_activations
        make: dict[str, Any] = {"device": device, "dtype": dtype}
        # What is computed again as a whole keeps nothing of its inside anyway.
        again = not checkpoint_activations
        self.model = Trunk(config, layout, self.sequence_parallel, again, **make)
        if not config.tied:
            self.lm_head = ColumnLinear(
                config.hidden_size, config.vocab_size, layout, bias=False, **make
            )
        self._frequencies, self._rope_scale = rope_frequencies(config)
        if seed is not None:
            self.initialize(seed)

    @torch.no_grad()
    def initialize(self, seed: int) -> None:
        """Draws all weights anew: N(0, initializer_range), norms 1, biases 0."""
        generator = torch.Generator().manual_seed(seed)
        for name, parameter in self.named_parameters():
            shard_dim, full_size = shard_of(parameter)
            if name.endswith("bias"):
                parameter.zero_()
            elif parameter.dim() == 1:
                parameter.fill_(1.0)
            else:
                shape = list(parameter.shape)
                if shard_dim is not None:
                    shape[shard_dim] = full_size
                full = torch.randn(shape, generator=generator) * self.config.initializer_range
                parameter.copy_(local_slice(full, shard_dim, self.layout))

    @property
    def head_weight(self) -> Tensor:
        """[V/tp, H], the embedding's where the two are tied."""
        return self.model.embed_tokens.weight if self.config.tied else self.lm_head.weight

    def forward(
        self, ids: Tensor, positions: Tensor, attend: Attend, rows: Tensor | None = None
    ) -> Tensor:
        """ids and positions [T] to hidden states [T, H] after the final norm, in the weights'
        type and whole on every TP rank. Of `rows` alone ([N], repeats allowed) where they are
        given: the last layer then computes no others, and no gradient is scattered."""
        keep = None if rows is None else Choice(rows, len(ids), ids.device)
        last = len(self.model.layers) - 1 if keep and not self.sequence_parallel else None
        # Rows without a token: for ranks to have as many each, or for products of few sizes.
        padding = 0
        if self.sequence_parallel:
            padding = -len(ids) % self.layout.tp
        elif rows is not None:
            padding = spare_rows(len(ids), self.head_weight)
        x = self.model.embed_tokens(F.pad(ids, (0, padding)) if padding else ids)
        dtype = x.dtype
        x = x.to(compute_dtype(x))
        if self._frequencies.device != positions.device:
            self._frequencies = self._frequencies.to(positions.device)
        angles = torch.outer(positions.float(), self._frequencies)[:, None]
        turns = torch.polar(torch.full_like(angles, self._rope_scale), angles)
        both = (turns, turns.conj().resolve_conj())
        recompute = self.checkpoint_activations and torch.is_grad_enabled()
        for i, layer in enumerate(self.model.layers):
            call = (layer, x, i, both, attend, keep if i == last else None)
            if recompute:
                x = checkpoint(*call, use_reentrant=False, preserve_rng_state=False)
            else:
                x = layer(*call[1:])
        x = self.model.norm(x).to(dtype)
        if self.sequence_parallel:
            x = gather_rows(x, self.layout)[: len(ids)]
            x = x if keep is None else keep(x)
        return cast(Tensor, x)
