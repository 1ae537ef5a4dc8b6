"""One readable decoder for the dense Qwen2, Qwen2.5, Qwen3 and Llama architectures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

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
)

ROPE_TYPES = ("default", "linear", "dynamic", "llama3", "yarn")


@dataclass(frozen=True)
class ModelConfig:
    """What the decoder reads of a Hugging Face config.json; `raw` is the whole of it."""

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
    qkv_bias: bool
    out_bias: bool
    mlp_bias: bool
    qk_norm: bool
    initializer_range: float
    rope: Mapping[str, Any]
    raw: Mapping[str, Any] = field(repr=False)

    @staticmethod
    def from_hf(raw: Mapping[str, Any]) -> ModelConfig:
        """Parses a config.json's contents; ValueError names what the decoder cannot do."""
        kind = raw.get("model_type")
        if kind not in ("qwen2", "qwen3", "llama"):
            raise ValueError(f"config.json: model_type {kind!r} is none of qwen2, qwen3, llama")
        heads = raw["num_attention_heads"]
        layers = raw["num_hidden_layers"]
        bias = kind == "qwen2" or bool(raw.get("attention_bias", False))
        rope = dict(raw.get("rope_parameters") or raw.get("rope_scaling") or {})
        rope.setdefault("rope_type", rope.pop("type", "default"))
        rope.setdefault("rope_theta", raw.get("rope_theta", 10000.0))
        if rope["rope_type"] not in ROPE_TYPES:
            raise ValueError(
                f"config.json: rope_type {rope['rope_type']!r} is none of {', '.join(ROPE_TYPES)}"
            )
        return ModelConfig(
            model_type=kind,
            vocab_size=raw["vocab_size"],
            hidden_size=raw["hidden_size"],
            intermediate_size=raw["intermediate_size"],
            num_layers=layers,
            num_heads=heads,
            num_kv_heads=raw.get("num_key_value_heads") or heads,
            head_dim=raw.get("head_dim")
            or (128 if kind == "qwen3" else raw["hidden_size"] // heads),
            rms_norm_eps=raw.get("rms_norm_eps", 1e-6),
            max_positions=raw.get("max_position_embeddings", 2048 if kind == "llama" else 32768),
            tied=raw.get("tie_word_embeddings", False),
            qkv_bias=bias,
            out_bias=bias and kind != "qwen2",
            mlp_bias=bool(raw.get("mlp_bias", False)),
            qk_norm=kind == "qwen3",
            initializer_range=raw.get("initializer_range", 0.02),
            rope=rope,
            raw=dict(raw),
        )

    def to_hf(self) -> dict[str, Any]:
        """The contents of config.json, as they were read."""
        return dict(self.raw)


class Attend(Protocol):
    """How tokens see each other: packed samples, or a cache of keys and values."""

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """q [T, Hq/tp, D]; k, v [T, Hkv/tp, D], k rotated already -> [T, Hq/tp, D]."""


def rope_frequencies(config: ModelConfig) -> tuple[Tensor, float]:
    """(radians per position [D/2] fp32, factor on cos and sin)."""
    rope, dim = config.rope, config.head_dim
    base, kind = rope["rope_theta"], rope["rope_type"]
    inverse = 1.0 / (base ** (torch.arange(0, dim, 2, dtype=torch.float) / dim))
    if kind == "linear":
        inverse /= rope["factor"]
    elif kind == "llama3":
        old = rope.get("original_max_position_embeddings", config.max_positions)
        low, high = rope["low_freq_factor"], rope["high_freq_factor"]
        turns = old / (2 * math.pi / inverse)
        smooth = ((turns - low) / (high - low)).clamp(0, 1)
        inverse = (1 - smooth) * inverse / rope["factor"] + smooth * inverse
    return inverse, 1.0


class _RmsNorm(torch.autograd.Function):
    """In fp32 and in a third of the passes over memory of torch's own on a CPU."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        wide = x.float()
        scale = torch.linalg.vecdot(wide, wide).div_(x.shape[-1]).add_(eps).rsqrt_()
        ctx.save_for_backward(x, weight, scale)
        return (wide * scale[..., None]).mul_(weight).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        x, weight, scale = ctx.saved_tensors
        size = x.shape[-1]
        x, wide, scale = (
            x.reshape(-1, size).float(),
            grad.reshape(-1, size).float(),
            scale.flatten(),
        )
        w = weight.float()
        product = wide * x
        d_weight = scale @ product
        # d x = scale (w g - x scale^2 mean(w g x))
        back = (product @ w).mul_(scale).mul_(scale).mul_(scale).div_(-size)
        d_x = torch.mul(wide, w, out=product).mul_(scale[:, None]).addcmul_(x, back[:, None])
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


class _Rotate(torch.autograd.Function):
    """Turns the pairs (x_i, x_i+D/2) of every head by their row's angles (arXiv 2104.09864)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return _rotate(x, cos, sin, 1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        return _rotate(grad, *ctx.saved_tensors, -1), None, None


def _rotate(x: Tensor, cos: Tensor, sin: Tensor, sign: int) -> Tensor:
    out = torch.empty_like(x)
    (a, b), (left, right) = x.chunk(2, -1), out.chunk(2, -1)
    torch.mul(a, cos, out=left).addcmul_(b, sin, value=-sign)
    torch.mul(b, cos, out=right).addcmul_(a, sin, value=sign)
    return out


class Attention(nn.Module):
    def __init__(self, config: ModelConfig, layout: Layout, sp: bool, **make: Any) -> None:
        super().__init__()
        c = config
        self.head_dim = c.head_dim
        q, kv = c.num_heads * c.head_dim, c.num_kv_heads * c.head_dim
        self.q_proj = ColumnLinear(c.hidden_size, q, layout, bias=c.qkv_bias, **make)
        self.k_proj = ColumnLinear(c.hidden_size, kv, layout, bias=c.qkv_bias, **make)
        self.v_proj = ColumnLinear(c.hidden_size, kv, layout, bias=c.qkv_bias, **make)
        self.o_proj = RowLinear(
            q, c.hidden_size, layout, bias=c.out_bias, sequence_parallel=sp, **make
        )
        norm = (c.head_dim, c.rms_norm_eps, layout, True)
        self.q_norm = Norm(*norm, **make) if c.qk_norm else None
        self.k_norm = Norm(*norm, **make) if c.qk_norm else None

    def forward(self, x: Tensor, layer: int, cos: Tensor, sin: Tensor, attend: Attend) -> Tensor:
        q, k, v = (
            y.view(len(x), -1, self.head_dim)
            for y in (self.q_proj(x), self.k_proj(x), self.v_proj(x))
        )
        if self.q_norm is not None and self.k_norm is not None:
            q, k = self.q_norm(q), self.k_norm(k)
        rows = len(cos)
        q, k = (apply(_Rotate, y[:rows], cos, sin) for y in (q, k))
        out = attend(layer, q, k, v[:rows])
        out = out.flatten(1)
        if rows < len(x):
            out = F.pad(out, (0, 0, 0, len(x) - rows))
        return cast(Tensor, self.o_proj(out))


class Mlp(nn.Module):
    def __init__(self, config: ModelConfig, layout: Layout, sp: bool, **make: Any) -> None:
        super().__init__()
        h, i, bias = config.hidden_size, config.intermediate_size, config.mlp_bias
        self.gate_proj = ColumnLinear(h, i, layout, bias=bias, **make)
        self.up_proj = ColumnLinear(h, i, layout, bias=bias, **make)
        self.down_proj = RowLinear(i, h, layout, bias=bias, sequence_parallel=sp, **make)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x)))


class Layer(nn.Module):
    def __init__(self, config: ModelConfig, layout: Layout, sp: bool, **make: Any) -> None:
        super().__init__()
        self.layout, self.sp = layout, sp
        norm = (config.hidden_size, config.rms_norm_eps, layout, sp)
        self.self_attn = Attention(config, layout, sp, **make)
        self.mlp = Mlp(config, layout, sp, **make)
        self.input_layernorm = Norm(*norm, **make)
        self.post_attention_layernorm = Norm(*norm, **make)

    def forward(self, x: Tensor, layer: int, cos: Tensor, sin: Tensor, attend: Attend) -> Tensor:
        y = enter_parallel(self.input_layernorm(x), self.layout, self.sp)
        x = x + self.self_attn(y, layer, cos, sin, attend)
        y = enter_parallel(self.post_attention_layernorm(x), self.layout, self.sp)
        return x + cast(Tensor, self.mlp(y))


class Trunk(nn.Module):
    def __init__(self, config: ModelConfig, layout: Layout, sp: bool, **make: Any) -> None:
        super().__init__()
        self.embed_tokens = VocabEmbedding(
            config.vocab_size, config.hidden_size, layout, sequence_parallel=sp, **make
        )
        self.layers = nn.ModuleList(
            Layer(config, layout, sp, **make) for _ in range(config.num_layers)
        )
        self.norm = Norm(config.hidden_size, config.rms_norm_eps, layout, sp, **make)


class Decoder(nn.Module):
    """The model without its head's matrix product: ids and positions [T] -> hidden [T, H].

    Parameters bear Hugging Face's names. `seed` draws the weights, the same whatever the layout;
    None leaves them unset, for a loader to fill.
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
        self.config, self.layout = config, layout
        self.sequence_parallel = sequence_parallel and layout.tp > 1
        self.checkpoint_activations = checkpoint_activations
        make: dict[str, Any] = {"device": device, "dtype": dtype}
        self.model = Trunk(config, layout, self.sequence_parallel, **make)
        if not config.tied:
            self.lm_head = ColumnLinear(
                config.hidden_size, config.vocab_size, layout, bias=False, **make
            )
        inverse, self._rope_scale = rope_frequencies(config)
        self._inverse = inverse.to(device)
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

    def forward(self, ids: Tensor, positions: Tensor, attend: Attend) -> Tensor:
        """Hidden states [T, H] after the final norm, whole on every TP rank."""
        rows = len(ids)
        padding = -rows % self.layout.tp if self.sequence_parallel else 0
        x = self.model.embed_tokens(F.pad(ids, (0, padding)) if padding else ids)
        x = x.to(compute_dtype(x))
        angles = torch.outer(positions.float(), self._inverse)[:, None]
        cos, sin = angles.cos() * self._rope_scale, angles.sin() * self._rope_scale
        cos, sin = cos.to(x.dtype), sin.to(x.dtype)
        for i, layer in enumerate(self.model.layers):
            if self.checkpoint_activations and torch.is_grad_enabled():
                x = checkpoint(
                    layer, x, i, cos, sin, attend, use_reentrant=False, preserve_rng_state=False
                )
            else:
                x = layer(x, i, cos, sin, attend)
        x = self.model.norm(x)
        x = x.to(self.head_weight.dtype)
        return gather_rows(x, self.layout)[:rows] if self.sequence_parallel else x
