"""Rollouts by the trainer's own model: one batch of rows, a key-value cache, nothing to install.

Prompts are read once for all their completions. A row leaves the batch when its completion ends
and a waiting request takes its place; when none is waiting the cache shrinks, so that the last
long completions do not pay for the short ones.

On CUDA a token of a small model takes longer to ask for, kernel by kernel, than to compute: a step
is recorded once for each shape of the batch, and replayed (CUDA graphs).

Invariants: a token depends on the weights, the prompt, the seed, its place and the rows beside it,
never on time: the same call twice gives the same bits. Under tensor parallelism every rank makes
the same call and draws the same tokens.

Not covered: batches over several processes other than by tensor parallelism; each data-parallel
rank has an engine of its own.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
import torch.nn.functional as F
from torch import Tensor

from trainer.attention import PackedAttention, packed_positions
from trainer.logprobs import token_logprobs
from trainer.model import Decoder
from trainer.parallel import compute_dtype, gather_full, local_slice, shard_of, wide
from trainer.products import linear
from trainer.rollout.engine import Completion, Request, Sampling, Span

PREFILL_TOKENS = 8192
"""Prompt tokens read at once: more would only need more memory."""

GROWTH = 64
"""Places by which the cache grows: rarely, and little of it unused."""

GROWTH_CUDA = 256
"""The same where a step is recorded anew each time."""

KEYS, VALUES = -1, -2
"""Where places are in the caches: each as its product runs through it, which takes half of the
time of `scaled_dot_product_attention` on a CPU."""

SHRINK = 0.75
"""The batch is copied to a smaller one when fewer of its rows than this share are alive."""


class EmbeddedEngine:
    """Generates with `decoder`. `shared` says that this is the model being trained itself: its
    weights are then always the newest and `sync` only notes the version."""

    def __init__(self, decoder: Decoder, *, rows: int, shared: bool) -> None:
        self.version = 0
        self._decoder = decoder
        self._rows = rows
        self._shared = shared
        self._records = decoder.head_weight.is_cuda and decoder.layout.tp == 1
        self._turn = threading.Lock()  # held for each token: a sync comes between two
        self._going = threading.Event()
        self._going.set()

    @torch.no_grad()
    def generate(
        self, requests: Sequence[Request], sampling: Sampling
    ) -> Iterator[tuple[int, Completion]]:
        """See RolloutEngine."""
        # Those of one prompt stay together, so that a prompt is read once.
        waiting = deque(sorted(range(len(requests)), key=lambda n: (requests[n].ids, n)))
        if sampling.max_new_tokens < 1 or any(not request.ids for request in requests):
            raise ValueError("a request needs a prompt and room for a token")
        batch = _Batch.empty(self._decoder, sampling.max_new_tokens)
        while waiting or len(batch.index):
            self._going.wait()
            with self._turn:
                if waiting and len(batch.index) <= self._rows * SHRINK:
                    self._admit(batch, waiting, requests, sampling)
                else:
                    self._step(batch, sampling)
            yield from batch.finished()

    def _admit(
        self,
        batch: _Batch,
        waiting: deque[int],
        requests: Sequence[Request],
        sampling: Sampling,
    ) -> None:
        """Reads the prompts of waiting requests and draws the first token of each."""
        prompts: dict[tuple[int, ...], int] = {}
        new, tokens = list[int](), 0
        while waiting and len(batch.index) + len(new) < self._rows:
            ids = requests[waiting[0]].ids
            if ids not in prompts:
                tokens += len(ids)
                if prompts and tokens > PREFILL_TOKENS:
                    break
                prompts[ids] = len(prompts)
            new.append(waiting.popleft())
        lengths = [len(ids) for ids in prompts]
        device = batch.device
        read = _Reading(PackedAttention(lengths, device))
        flat = torch.tensor([token for ids in prompts for token in ids], device=device)
        hidden = self._decoder(flat, packed_positions(lengths, device), read)
        ends = torch.tensor(lengths, device=device).cumsum(0) - 1
        which = torch.tensor([prompts[requests[n].ids] for n in new], device=device)
        batch.add(new, requests, sampling, read, lengths, which)
        first = slice(len(batch.index) - len(new), None)
        self._draw(batch, first, self._logits(hidden[ends])[which], sampling)

    def _step(self, batch: _Batch, sampling: Sampling) -> None:
        """One more token for each row."""
        batch.advance()
        if not self._records:
            self._token(batch, sampling)
            return
        # What is recorded holds the tensors of the batch, and the version it was made with.
        state = (batch.remade, self.version)
        if batch.ran != state:
            batch.ran, batch.graph = state, None
            self._token(batch, sampling)  # compiles what is to be compiled
            return
        if batch.graph is None:
            batch.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(batch.graph, capture_error_mode="thread_local"):
                self._token(batch, sampling)
        batch.graph.replay()

    def _token(self, batch: _Batch, sampling: Sampling) -> None:
        hidden = self._decoder(batch.last, batch.places, batch.attend())
        batch.places.add_(1)
        self._draw(batch, slice(None), self._logits(hidden), sampling)

    def _logits(self, hidden: Tensor) -> Tensor:
        """[B, H] to [B, V], whole on every rank, in fp32."""
        local = linear(hidden, self._decoder.head_weight)
        layout, size = self._decoder.layout, self._decoder.config.vocab_size
        if layout.tp > 1:
            local = gather_full(local, 1, size, layout)
        return local[:, :size].float()

    def _draw(self, batch: _Batch, rows: slice, logits: Tensor, sampling: Sampling) -> None:
        count = batch.counts[rows]
        tokens, logprobs = sample(logits, sampling, uniforms(batch.seeds[rows], count))
        batch.write(rows, tokens, logprobs, self.version)

    def sync(self, weights: Iterable[tuple[str, Tensor]], version: int) -> None:
        """See RolloutEngine."""
        with self._turn:
            if not self._shared:
                parameters = dict(self._decoder.named_parameters())
                for name, whole in weights:
                    held = parameters.pop(name)
                    held.data.copy_(local_slice(whole, shard_of(held)[0], self._decoder.layout))
                if parameters:
                    raise ValueError(f"a sync left out {', '.join(sorted(parameters))}")
            self.version = version

    @torch.no_grad()
    def logprobs(self, sequences: Sequence[tuple[int, ...]]) -> list[list[float]]:
        """See RolloutEngine."""
        decoder, device = self._decoder, self._decoder.head_weight.device
        found = []
        for ids in sequences:
            flat = torch.tensor(ids, device=device)
            with self._turn:
                hidden = decoder(
                    flat, packed_positions([len(ids)], device), PackedAttention([len(ids)], device)
                )
                stats = token_logprobs(
                    hidden[:-1],
                    decoder.head_weight,
                    flat[1:],
                    vocab_size=decoder.config.vocab_size,
                    layout=decoder.layout,
                )
            found.append(stats.logprobs.tolist())
        return found

    def pause(self) -> None:
        """See RolloutEngine."""
        self._going.clear()

    def resume(self) -> None:
        """See RolloutEngine."""
        self._going.set()

    def close(self) -> None:
        """See RolloutEngine."""
        self._going.set()


class _Reading:
    """Attention over whole prompts that keeps their keys and values, layer by layer."""

    def __init__(self, packed: PackedAttention) -> None:
        self._packed = packed
        self.kept: list[tuple[Tensor, Tensor]] = []

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        assert layer == len(self.kept)
        self.kept.append((k, v))
        return self._packed(layer, q, k, v)


_COLUMNS = (
    *("seeds", "places", "counts", "room", "last"),
    *("tokens", "logprobs", "versions", "over"),
)


@dataclass
class _Batch:
    """The rows that are being generated, B of them; their caches by layer, S places: keys
    [B, Hkv, D, S], values [B, Hkv, S, D]."""

    keys: list[Tensor]
    values: list[Tensor]
    device: torch.device
    index: list[int]
    """Each row's request."""
    seeds: Tensor
    places: Tensor
    """[B]: where the row's newest token, not yet in the cache, will stand."""
    counts: Tensor
    """[B]: tokens drawn so far."""
    room: Tensor
    """[B]: tokens it may have."""
    last: Tensor
    """[B]: the newest token."""
    tokens: Tensor
    """[B, N]"""
    logprobs: Tensor
    versions: Tensor
    over: Tensor
    """[B]: 0 goes on, 1 stopped, 2 has no room left, 3 was given away."""
    most: int = 0
    """Places that the longest row may come to."""
    far: int = 0
    """The largest of `places`."""
    remade: int = 0
    """How often the tensors were replaced by others."""
    ran: tuple[int, int] | None = None
    """What `remade` was when a step last ran, and the version of the weights."""
    graph: torch.cuda.CUDAGraph | None = None
    """That step, recorded."""

    @property
    def _caches(self) -> tuple[tuple[list[Tensor], int], ...]:
        return (self.keys, KEYS), (self.values, VALUES)

    @classmethod
    def empty(cls, decoder: Decoder, most: int) -> _Batch:
        """No rows; each will have room for `most` tokens."""
        weight, config = decoder.head_weight, decoder.config
        device = weight.device

        def no(*shape: int, dtype: torch.dtype = torch.int64) -> Tensor:
            return torch.empty(0, *shape, dtype=dtype, device=device)

        heads = config.num_kv_heads // decoder.layout.tp
        kept = compute_dtype(weight)
        size, layers = config.head_dim, config.num_layers
        return cls(
            [no(heads, size, 0, dtype=kept)] * layers, [no(heads, 0, size, dtype=kept)] * layers,
            device, [],
            seeds=no(), places=no(), counts=no(), room=no(), last=no(),
            tokens=no(most), logprobs=no(most, dtype=torch.float32),
            versions=no(most, dtype=torch.int32), over=no(dtype=torch.int8),
        )  # fmt: skip

    def add(
        self,
        new: list[int],
        requests: Sequence[Request],
        sampling: Sampling,
        read: _Reading,
        lengths: list[int],
        which: Tensor,
    ) -> None:
        """Rows for new requests; row i continues prompt which[i] of those just read."""
        asked, most = [requests[n] for n in new], sampling.max_new_tokens
        rooms = [min(most, one.max_new_tokens or most) for one in asked]

        def column(values: list[int]) -> Tensor:
            return torch.tensor(values, device=self.device)

        long = torch.tensor(lengths, device=self.device)
        self.most = max(self.most, max(lengths) + max(rooms))
        self.far = max(self.far, max(lengths))
        self._reserve(max(lengths) + 1)
        self.remade += 1
        rows, capacity = len(self.index), self.keys[0].shape[KEYS]
        # Where in the packed prompts each place of each new row's cache comes from; beyond the
        # prompt any token will do, for it is masked until it is overwritten.
        starts = long.cumsum(0) - long
        span = torch.arange(max(lengths), device=self.device)
        source = (starts[which, None] + torch.minimum(span, long[which, None] - 1)).reshape(-1)
        for layer, kept in enumerate(read.kept):
            for (cache, dim), new_part in zip(self._caches, kept, strict=True):
                whole = cache[layer].new_empty(rows + len(new), *cache[layer].shape[1:])
                whole[:rows] = cache[layer]
                part = new_part[source].unflatten(0, (len(new), len(span))).movedim(1, dim)
                whole[rows:].narrow(dim, 0, len(span)).copy_(part)
                whole[rows:].narrow(dim, len(span), capacity - len(span)).zero_()
                cache[layer] = whole
        self.index += new
        self.seeds = torch.cat([self.seeds, column([one.seed for one in asked])])
        # `write` moves a row on by its count alone: the first token stands right after the prompt.
        self.places = torch.cat([self.places, long[which]])
        self.counts = torch.cat([self.counts, torch.zeros_like(which)])
        self.room = torch.cat([self.room, column(rooms)])
        self.last = torch.cat([self.last, torch.zeros_like(which)])
        for name in ("tokens", "logprobs", "versions"):
            held: Tensor = getattr(self, name)
            setattr(self, name, torch.cat([held, held.new_zeros(len(new), held.shape[1])]))
        self.over = torch.cat([self.over, self.over.new_zeros(len(new))])
        self._stops = torch.tensor(sampling.stop_token_ids, device=self.device)

    def _reserve(self, places: int) -> None:
        """Room in the cache for so many places in each row."""
        have = self.keys[0].shape[KEYS]
        if places > have:
            growth = GROWTH_CUDA if self.device.type == "cuda" else GROWTH
            # Rows that have ended but are still here may be beyond the most.
            most = self.most if places <= self.most else places + growth
            more = min(places + growth, most) - have
            self.remade += 1
            for cache, dim in self._caches:
                for layer, held in enumerate(cache):
                    cache[layer] = F.pad(held, (0, 0) * (-dim - 1) + (0, more))

    def advance(self) -> None:
        """Room for each row's newest token, which goes into the cache with the next one's step."""
        self._reserve(self.far + 1)
        self.far += 1

    def attend(self) -> _Cached:
        """Attention of the newest tokens to all before them."""
        # A step that is recorded reads as many places the next time.
        cuda = self.device.type == "cuda"
        return _Cached(self, self.keys[0].shape[KEYS] if cuda else self.far)

    def write(self, rows: slice, tokens: Tensor, logprobs: Tensor, version: int) -> None:
        """Notes one more token for each of these rows."""
        # A row that has ended but is still here writes into its last place, long read.
        count = self.counts[rows, None].clamp(max=self.tokens.shape[1] - 1)
        self.tokens[rows].scatter_(1, count, tokens[:, None])
        self.logprobs[rows].scatter_(1, count, logprobs[:, None])
        self.versions[rows].scatter_(1, count, version)
        self.last[rows] = tokens
        self.counts[rows] += 1
        full = self.counts[rows] >= self.room[rows]
        now = torch.where(torch.isin(tokens, self._stops), 1, full * 2)
        self.over[rows] = torch.where(self.over[rows] == 3, 3, now).to(torch.int8)

    def finished(self) -> Iterator[tuple[int, Completion]]:
        """Completions that have ended and were not given yet; drops their rows in time."""
        over = self.over.tolist()
        if ended := [row for row, why in enumerate(over) if why in (1, 2)]:
            held = (self.counts, self.tokens, self.logprobs, self.versions)
            kept = zip(*(x[ended].tolist() for x in held), strict=True)
            for row, columns in zip(ended, kept, strict=True):
                yield self.index[row], _completion(over[row], *columns)
            self.over[ended] = 3
        alive = [row for row, why in enumerate(over) if why == 0]
        if len(alive) <= SHRINK * len(self.index):
            self._keep(alive)

    def _keep(self, chosen: list[int]) -> None:
        rows = torch.tensor(chosen, dtype=torch.int64, device=self.device)
        self.far = used = int(self.places[rows].max()) if chosen else 0
        self.remade += 1
        for cache, dim in self._caches:
            for layer, held in enumerate(cache):
                cache[layer] = held.narrow(dim, 0, used)[rows]
        self.index = [self.index[row] for row in chosen]
        for name in _COLUMNS:
            setattr(self, name, getattr(self, name)[rows])


def _completion(
    why: int, count: int, tokens: list[int], logprobs: list[float], versions: list[int]
) -> Completion:
    spans, start = [], 0
    for version, run in groupby(versions[:count]):
        end = start + sum(1 for _ in run)
        spans.append(Span(version, start, end))
        start = end
    return Completion(
        tuple(tokens[:count]),
        tuple(logprobs[:count]),
        "stop" if why == 1 else "length",
        tuple(spans),
    )


class _Cached:
    """Attention of one new token in each row to the row's cache."""

    def __init__(self, batch: _Batch, used: int) -> None:
        self._batch, self._used, places = batch, used, batch.places
        self._row, self._place = torch.arange(len(places), device=places.device), places
        unseen = torch.arange(used, device=places.device) > places[:, None]
        # On CUDA products take half precision as it is: a cache in fp32 is twice to read.
        self._half = batch.keys[0].is_cuda and batch.keys[0].dtype.itemsize == 2
        mask = torch.zeros(unseen.shape, dtype=wide(batch.keys[0]).dtype, device=places.device)
        heads = batch.keys[0].shape[1]
        mask = mask.masked_fill_(unseen, float("-inf"))[:, None].expand(-1, heads, -1)
        self._mask = mask.flatten(0, 1)[:, None]

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        keys, values = self._batch.keys[layer], self._batch.values[layer]
        keys[self._row, :, :, self._place] = k
        values[self._row, :, self._place] = v
        rows, heads, size = q.shape
        # The query heads that share a key head stand as its queries: no key is read twice.
        shared = q.reshape(-1, heads // k.shape[1], size)
        seen = keys.flatten(0, 1)[..., : self._used]
        read = values.flatten(0, 1)[:, : self._used]
        if self._half:
            scores = torch.bmm(shared, seen, out_dtype=torch.float32)
            weights = scores.mul_(size**-0.5).add_(self._mask).softmax(-1).to(q.dtype)
        else:
            scores = torch.baddbmm(self._mask, wide(shared), wide(seen), alpha=size**-0.5)
            weights, read = scores.softmax(-1), wide(read)
        return torch.bmm(weights, read).view(rows, heads, size).to(q.dtype)


def uniforms(seeds: Tensor, counts: Tensor) -> Tensor:
    """Numbers in [0, 1) by seed and count: SplitMix64's finaliser (Steele et al. 2014), so that a
    draw needs no generator state and does not depend on the rows beside it. [B] int64 to [B]."""
    mixed = seeds * -7046029254386353131 + (counts + 1) * -4417276706812531889
    for shift, factor in ((30, -4658895280553007687), (27, -7723592293110705685)):
        mixed = (mixed ^ ((mixed >> shift) & ((1 << (64 - shift)) - 1))) * factor
    mixed = mixed ^ ((mixed >> 31) & ((1 << 33) - 1))
    return ((mixed >> 11) & ((1 << 53) - 1)).double() * 2.0**-53


def sample(logits: Tensor, sampling: Sampling, uniform: Tensor) -> tuple[Tensor, Tensor]:
    """Tokens [B] and their log-probabilities [B] from logits [B, V] and numbers in [0, 1) [B]."""
    if sampling.temperature == 0.0:
        tokens = logits.argmax(-1)
        return tokens, 0.0 * logits.amax(-1)  # not finite where the logits are not
    logprobs = F.log_softmax(logits / sampling.temperature, dim=-1)
    if sampling.top_k or sampling.top_p < 1.0:
        logprobs = _nucleus(logprobs, sampling)
    # By the inverse of the distribution function: one number for each draw.
    mass = logprobs.exp().cumsum(-1, dtype=torch.float64)
    tokens = torch.searchsorted(mass, (uniform * mass[:, -1])[:, None], right=True)[:, 0]
    tokens = tokens.clamp_(max=logits.shape[-1] - 1)
    return tokens, logprobs.gather(1, tokens[:, None])[:, 0]


def _nucleus(logprobs: Tensor, sampling: Sampling) -> Tensor:
    """The distribution cut to the likeliest `top_k`, then to the fewest with `top_p` of it."""
    ordered, order = logprobs.sort(descending=True, stable=True)
    if sampling.top_k:
        ordered[:, sampling.top_k :] = float("-inf")
        ordered = F.log_softmax(ordered, dim=-1)
    probabilities = ordered.exp()
    before = probabilities.cumsum(-1) - probabilities
    ordered = ordered.masked_fill(before >= sampling.top_p, float("-inf"))
    return torch.full_like(logprobs, float("-inf")).scatter_(
        1, order, F.log_softmax(ordered, dim=-1)
    )
