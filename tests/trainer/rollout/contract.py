"""What both served engines must do, tested on a real server of each.

The reference is transformers, in float64, on the same weights.
"""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from threading import Event, Thread, Timer
from typing import Any, ClassVar

import httpx2
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import Qwen2ForCausalLM

from tests.trainer.engines import CONTEXT, Kind, Server, served, tiny_model
from trainer.model import ModelConfig
from trainer.rollout.engine import Completion, EngineError, Request, Sampling
from trainer.rollout.served import ServedEngine, SyncMode
from trainer.rollout.transfer import buckets
from trainer.rollout.verify_sync import StaleWeights, SyncCheck
from trainer.weights import read_config

LONG = 4000
"""New tokens that a server is at for several seconds, however small the model. Where cores are
crowded this is not enough: vLLM's workers wait for each other by sched_yield, and beside that Linux
6.18 lets no other process run for seconds, so that nobody sees the server busy."""
TOLERANCE = 1e-3
"""Nats; what the issue asks for. Measured: 2e-6 at most."""

MODES: tuple[SyncMode, ...] = ("disk", "tensor", "distributed")

Weights = dict[str, Tensor]


def prompts(count: int, length: int, seed: int = 0) -> list[tuple[int, ...]]:
    """Random ones, of letters."""
    draw = random.Random(seed)
    return [tuple(draw.randrange(1, 257) for _ in range(length)) for _ in range(count)]


class Model:
    """Weights on a disk and what they say, by transformers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = read_config(path)
        self.weights: Weights = load_file(path / "model.safetensors")
        self._model = Qwen2ForCausalLM.from_pretrained(path, dtype=torch.float64).eval()

    def distributions(self, ids: tuple[int, ...]) -> Tensor:
        """[T, V]: log-probabilities of the token after each."""
        with torch.no_grad():
            return self._model(torch.tensor([ids])).logits[0].log_softmax(-1)

    def scores(self, ids: tuple[int, ...]) -> list[float]:
        """Of each token but the first."""
        rows = self.distributions(ids)[:-1]
        return [float(row[token]) for row, token in zip(rows, ids[1:], strict=True)]


def gaps(engine: ServedEngine, model: Model, sequences: list[tuple[int, ...]]) -> list[float]:
    """Differences of log-probabilities, nats."""
    found = engine.logprobs(sequences)
    assert [len(row) for row in found] == [len(ids) - 1 for ids in sequences]
    return [
        abs(ours - theirs)
        for row, ids in zip(found, sequences, strict=True)
        for ours, theirs in zip(row, model.scores(ids), strict=True)
    ]


def close(engine: ServedEngine, model: Model) -> None:
    """Says how far apart the two are, and fails beyond TOLERANCE."""
    found = gaps(engine, model, prompts(6, 40))
    print(f"{engine.name}: median {statistics.median(found):.1e}, max {max(found):.1e} nats")
    assert max(found) <= TOLERANCE


def sampled(
    model: Model,
    request: Request,
    completion: Completion,
    sampling: Sampling,
    renormalises: bool = True,
) -> list[float]:
    """Log-probabilities that the completion's tokens were sampled with, computed here."""
    whole = request.ids + completion.ids
    rows = model.distributions(whole)[len(request.ids) - 1 : -1] / sampling.temperature
    found = []
    for row, token in zip(rows, completion.ids, strict=True):
        chances = row.softmax(-1)
        order = chances.argsort(descending=True)
        kept = sampling.top_k or len(order)
        of = float(chances[order[:kept]].sum()) if renormalises else 1.0
        before = (chances[order].cumsum(0) - chances[order]) / of
        chances[order[kept:]] = 0
        chances[order[before >= sampling.top_p]] = 0
        chances /= chances.sum()
        found.append(math.log(float(chances[token])))  # fails where the token was cut off
    return found


def whole(completion: Completion) -> bool:
    """Spans cover the tokens, one after the other."""
    ends = [0, *(span.end for span in completion.spans)]
    return [span.start for span in completion.spans] == ends[:-1] and ends[-1] == len(
        completion.ids
    ) == len(completion.logprobs)


def small_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights go in several messages, not in one as tiny models' would."""
    several = partial(buckets, limit=50_000)
    monkeypatch.setattr("trainer.rollout.served.buckets", several)
    monkeypatch.setattr("trainer.rollout.transfer.buckets", several)


class Contract:
    """Inherited by the tests of each engine, which say which one."""

    kind: ClassVar[Kind]
    ranks: ClassVar[str]
    """The argument that says how many tensor-parallel ranks."""
    worker: ClassVar[str]
    """The name of the process that computes."""
    renormalises: ClassVar[bool]
    """Whether top_p is of what top_k left, or of all."""
    engine_class: ClassVar[type[ServedEngine]]

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, request: pytest.FixtureRequest) -> Server:
        server: Server = request.getfixturevalue(f"{cls.kind}_server")
        return server

    @pytest.fixture(scope="class")
    @classmethod
    def models(cls, tmp_path_factory: pytest.TempPathFactory) -> list[Model]:
        """Of the server's shape, with weights of their own."""
        directory = tmp_path_factory.mktemp("models")
        return [Model(tiny_model(directory / str(n), tied=True, seed=1 + n)) for n in range(2)]

    @pytest.fixture(scope="class")
    @classmethod
    def shared(cls, server: Server, models: list[Model]) -> Iterator[ServedEngine]:
        engine = cls.engine_class(server.url, models[0].config, timeout_seconds=60)
        yield engine
        engine.close()

    @pytest.fixture
    def engine(self, shared: ServedEngine, models: list[Model]) -> ServedEngine:
        """With the first model's weights."""
        shared.sync(models[0].weights.items(), 1)
        return shared

    @pytest.mark.parametrize("mode", MODES)
    def test_a_sync_brings_all_weights(
        self,
        server: Server,
        models: list[Model],
        mode: SyncMode,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        small_buckets(monkeypatch)
        engine = self.engine_class(server.url, models[0].config, sync=mode, timeout_seconds=60)
        for version in (1, 2, 3):
            model = models[version % 2]
            engine.sync(model.weights.items(), version)
            assert engine.version == version
            close(engine, model)
            # The prompts are the same each time: none may be answered from a cache.
            request = Request(prompts(1, 100)[0], seed=version)
            [(_, completion)] = engine.generate([request], Sampling(20))
            assert [span.version for span in completion.spans] == [version]
            expected = sampled(model, request, completion, Sampling(20))
            assert completion.logprobs == pytest.approx(expected, abs=TOLERANCE)
        engine.close()

    @pytest.mark.parametrize(
        "sampling",
        [
            Sampling(30, temperature=0.6),
            Sampling(30, temperature=1.7),
            Sampling(30, top_p=0.7),
            Sampling(30, temperature=1.2, top_k=5),
            Sampling(30, temperature=0.8, top_k=20, top_p=0.8),
        ],
        ids=str,
    )
    def test_logprobs_are_those_of_the_sampling_distribution(
        self, engine: ServedEngine, models: list[Model], sampling: Sampling
    ) -> None:
        requests = [Request(ids, seed) for seed, ids in enumerate(prompts(4, 12))]
        for index, completion in engine.generate(requests, sampling):
            assert whole(completion)
            assert completion.finish == "length"
            expected = sampled(models[0], requests[index], completion, sampling, self.renormalises)
            assert completion.logprobs == pytest.approx(expected, abs=TOLERANCE)

    def test_greedy(self, engine: ServedEngine, models: list[Model]) -> None:
        requests = [Request(ids, seed) for seed, ids in enumerate(prompts(4, 12))]
        for index, completion in engine.generate(requests, Sampling(20, temperature=0)):
            rows = models[0].distributions(requests[index].ids + completion.ids)
            best = rows[len(requests[index].ids) - 1 : -1].argmax(-1).tolist()
            assert completion.ids == tuple(best)
            assert completion.logprobs == (0.0,) * 20

    def test_tokens_come_as_often_as_they_should(
        self, engine: ServedEngine, models: list[Model]
    ) -> None:
        draws, sampling = 1500, Sampling(1, temperature=0.5)
        ids = prompts(1, 12)[0]
        expected = (models[0].distributions(ids)[-1] / 0.5).softmax(-1)
        counts = torch.zeros_like(expected)
        for _, one in engine.generate([Request(ids, seed) for seed in range(draws)], sampling):
            counts[one.ids[0]] += 1
        # Pearson's statistic over the tokens expected five times or more, the others as one.
        often = expected * draws >= 5
        seen = torch.cat([counts[often], counts[~often].sum()[None]])
        mean = torch.cat([expected[often], expected[~often].sum()[None]]) * draws
        statistic = float(((seen - mean) ** 2 / mean).sum())
        freedom = len(mean) - 1
        assert freedom >= 5
        # Wilson and Hilferty's normal approximation; 5 deviations is once in 3 million.
        deviations = ((statistic / freedom) ** (1 / 3) - 1 + 2 / (9 * freedom)) / math.sqrt(
            2 / (9 * freedom)
        )
        assert deviations < 5

    def test_a_completion_ends_with_a_stop_token(self, engine: ServedEngine) -> None:
        stops = (0, *range(3, 60))
        requests = [Request(ids, seed) for seed, ids in enumerate(prompts(20, 8))]
        ends = set()
        for _, one in engine.generate(requests, Sampling(200, stop_token_ids=stops)):
            assert one.finish == "stop"
            assert one.ids[-1] in stops
            assert not set(one.ids[:-1]) & set(stops)
            assert whole(one)
            ends.add(one.ids[-1])
        assert len(ends) > 3

    def test_each_request_has_its_own_length_and_short_ones_come_first(
        self, engine: ServedEngine
    ) -> None:
        lengths = [600, *[5 + n % 7 for n in range(60)]]
        requests = [
            Request(ids, seed, max_new_tokens=length)
            for seed, (ids, length) in enumerate(zip(prompts(61, 8), lengths, strict=True))
        ]
        order = []
        for index, completion in engine.generate(requests, Sampling(600)):
            assert len(completion.ids) == lengths[index]
            assert completion.finish == "length"
            order.append(index)
        assert sorted(order) == list(range(61))
        assert order[-1] == 0

    def test_at_most_so_many_requests_at_once(
        self, server: Server, engine: ServedEngine, models: list[Model]
    ) -> None:
        running = most = 0

        class Counting(self.engine_class):  # type: ignore[misc, name-defined]
            async def _complete(self, *arguments: Any) -> Completion:
                nonlocal running, most
                running += 1
                most = max(most, running)
                try:
                    return await super()._complete(*arguments)
                finally:
                    running -= 1

        few = Counting(server.url, models[0].config, concurrency=3)
        requests = [Request(ids, seed) for seed, ids in enumerate(prompts(30, 8))]
        assert len(list(few.generate(requests, Sampling(4)))) == 30
        assert most == 3
        few.close()

    def test_a_pause_keeps_what_is_generated_and_later_tokens_have_later_weights(
        self, engine: ServedEngine, models: list[Model]
    ) -> None:
        # The last is short: when it is there the others are on their way, and far from their end.
        requests = [Request(ids, seed) for seed, ids in enumerate(prompts(4, 20))]
        requests.append(Request(prompts(1, 20)[0], 4, max_new_tokens=30))
        found: list[tuple[int, Completion]] = []
        begun = Event()

        def sample() -> None:
            for one in engine.generate(requests, Sampling(LONG)):
                found.append(one)
                begun.set()

        sampler = Thread(target=sample)
        sampler.start()
        assert begun.wait(60)
        engine.pause()
        time.sleep(0.5)
        assert sampler.is_alive()
        engine.sync(models[1].weights.items(), 2)
        engine.resume()
        sampler.join(180)
        assert found.pop(0)[0] == 4
        assert len(found) == 4
        for index, completion in found:
            assert whole(completion)
            assert len(completion.ids) == LONG
            assert [span.version for span in completion.spans] == [1, 2]
            middle = completion.spans[0].end
            assert 0 < middle < LONG
            for model, part in ((models[0], slice(middle)), (models[1], slice(middle, None))):
                expected = sampled(model, requests[index], completion, Sampling(LONG))
                assert completion.logprobs[part] == pytest.approx(expected[part], abs=TOLERANCE)

    def test_nothing_is_generated_while_paused(self, engine: ServedEngine) -> None:
        engine.pause()
        found: list[Any] = []
        request = Request(prompts(1, 5)[0], 0)
        sampler = Thread(target=lambda: found.extend(engine.generate([request], Sampling(2))))
        sampler.start()
        sampler.join(1.0)
        assert sampler.is_alive()
        assert not found
        engine.resume()
        sampler.join(30)
        assert len(found) == 1

    def test_closing_the_iterator_aborts_the_rest(
        self, server: Server, engine: ServedEngine
    ) -> None:
        requests = [Request(prompts(1, 8)[0], 0, max_new_tokens=2)]
        requests += [Request(ids, seed) for seed, ids in enumerate(prompts(8, 8))]
        going = engine.generate(requests, Sampling(LONG))
        assert next(going)[0] == 0
        assert self.busy(server) > 0
        going.close()
        deadline = time.monotonic() + 10
        while self.busy(server) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert self.busy(server) == 0
        assert len(list(engine.generate(requests[:1], Sampling(2)))) == 1

    def busy(self, server: Server) -> float:
        """Requests that the server works on."""
        raise NotImplementedError

    def test_a_request_that_does_not_fit_is_named(self, engine: ServedEngine) -> None:
        requests = [Request(prompts(1, 5)[0], 0), Request(prompts(1, CONTEXT + 1)[0], 0)]
        with pytest.raises(EngineError, match=r"-1\)") as raised:
            list(engine.generate(requests, Sampling(4)))
        assert engine.url in str(raised.value)
        assert len(list(engine.generate(requests[:1], Sampling(4)))) == 1

    def test_a_sync_that_did_not_happen_is_found(
        self, engine: ServedEngine, models: list[Model]
    ) -> None:
        check = SyncCheck(prompts(20, 40), tolerance=0.1)
        check(engine, [models[0].scores(ids) for ids in check.sequences])
        # Far below what the tolerance would find.
        moved = _moved(models[0], seed=1)
        now = [moved.scores(ids) for ids in check.sequences]
        engine.sync(moved.weights.items(), 2)
        report = check(engine, now)
        assert report.median <= TOLERANCE
        assert report.followed == pytest.approx(1, abs=0.05)
        further = _moved(moved, seed=2)
        now = [further.scores(ids) for ids in check.sequences]
        engine.sync(moved.weights.items(), 3)  # the old ones under the new version
        with pytest.raises(StaleWeights, match=r"version 3: the engine shows -?0\.0"):
            check(engine, now)

    @pytest.mark.parametrize("mode", MODES)
    def test_a_sync_that_broke_off_can_be_made_again(
        self,
        server: Server,
        models: list[Model],
        mode: SyncMode,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        small_buckets(monkeypatch)

        def half() -> Iterator[tuple[str, Tensor]]:
            for number, one in enumerate(models[1].weights.items()):
                if number == 10:
                    raise RuntimeError("the trainer's own")
                yield one

        first = self.engine_class(server.url, models[0].config, sync=mode, timeout_seconds=60)
        first.sync(models[0].weights.items(), 1)
        with pytest.raises(EngineError, match=r"sync of version 2.*the trainer's own"):
            first.sync(half(), 2)
        assert first.version == 1
        for refused in (
            first.resume,
            lambda: list(first.generate([Request((1,), 0)], Sampling(2))),
        ):
            with pytest.raises(EngineError, match="sync of version 2 failed"):
                refused()
        first.sync(models[1].weights.items(), 2)
        close(first, models[1])
        # And by another trainer, where the first has died in it.
        with pytest.raises(EngineError):
            first.sync(half(), 3)
        first.close()
        second = self.engine_class(server.url, models[0].config, sync=mode, timeout_seconds=60)
        second.sync(models[0].weights.items(), 4)
        close(second, models[0])
        second.close()

    def test_a_server_started_again_is_noticed(self, server: Server, engine: ServedEngine) -> None:
        body = {"new_version": "default", "abort_all_requests": False}  # as a new server says
        httpx2.post(f"{server.url}/update_weight_version", json=body).raise_for_status()
        with pytest.raises(EngineError, match="started again"):
            list(engine.generate([Request((1,), 0)], Sampling(2)))

    @pytest.mark.parametrize(
        ("key", "value", "said"),
        [
            ("architectures", ["LlamaForCausalLM"], r"Qwen2ForCausalLM.*LlamaForCausalLM"),
            ("vocab_size", 271, r"vocab_size 272.*271"),
            ("vocab_size", 273, r"vocab_size 272.*273"),
            ("num_hidden_layers", 3, r"num_hidden_layers 2.*3"),
            ("tie_word_embeddings", False, r"tie_word_embeddings True.*False"),
        ],
    )
    def test_another_model_is_named(
        self, server: Server, models: list[Model], key: str, value: object, said: str
    ) -> None:
        other = ModelConfig.from_hf({**models[0].config.raw, key: value})
        with pytest.raises(EngineError, match=said):
            self.engine_class(server.url, other)

    def test_no_server(self, models: list[Model]) -> None:
        with pytest.raises(EngineError, match=r"http://127\.0\.0\.1:9.*ConnectError"):
            self.engine_class("http://127.0.0.1:9", models[0].config)

    def test_a_server_that_hangs(
        self, server: Server, engine: ServedEngine, models: list[Model]
    ) -> None:
        hasty = self.engine_class(server.url, models[0].config, timeout_seconds=2)
        requests = [Request(ids, seed) for seed, ids in enumerate(prompts(3, 8))]
        server.signal(SIGSTOP)
        try:
            with pytest.raises(EngineError, match=r"3 of 3 answers.*silent for more than 2 s"):
                list(hasty.generate(requests, Sampling(10)))
            with pytest.raises(EngineError, match="ReadTimeout"):
                self.engine_class(server.url, models[0].config, timeout_seconds=2)
        finally:
            server.signal(SIGCONT)
        hasty.close()
        assert len(list(engine.generate(requests, Sampling(10)))) == 3

    def test_an_untied_model_on_two_ranks_and_a_server_killed_in_mid_generation(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SGLANG_CPU_OMP_THREADS_BIND", "0|1")  # it wants to be told
        old, new = (Model(tiny_model(tmp_path / str(n), seed=n, hidden_size=128)) for n in range(2))
        with served(self.kind, old.path, tmp_path, self.ranks, "2") as server:
            engine = self.engine_class(server.url, old.config, timeout_seconds=60)
            close(engine, old)
            for version, mode in enumerate(MODES, 1):
                # Weights far from the last, so that any tensor left as it was would show.
                engine._sync = mode
                model = (old, new)[version % 2]
                engine.sync(model.weights.items(), version)
                close(engine, model)
            requests = [Request(ids, seed) for seed, ids in enumerate(prompts(8, 8))]
            # The process that computes; that one gone, nobody would answer. It is killed by the
            # clock: what the server says of itself may come when all is over.
            kill = Timer(0.5, server.signal, (SIGKILL, self.worker))
            kill.start()
            began = time.monotonic()
            with pytest.raises(EngineError, match=r"request \w+-\d") as raised:
                list(engine.generate(requests, Sampling(LONG)))
            kill.join()
            assert server.url in str(raised.value)
            assert time.monotonic() - began < 20  # SGLang's own watch takes 5
            time.sleep(1)
            began = time.monotonic()
            for call in (
                lambda: list(engine.generate(requests, Sampling(10))),
                lambda: engine.logprobs([(1, 2)]),
                lambda: engine.sync(old.weights.items(), 9),
                engine.resume,
            ):
                with pytest.raises(EngineError, match=server.url):
                    call()
            assert engine.version == 3
            assert time.monotonic() - began < 5
            engine.close()


def _moved(model: Model, *, seed: int) -> Model:
    """The model after a small random step, as of one update."""
    torch.manual_seed(seed)
    found = Model(model.path)
    found.weights = {
        name: weight + 1e-4 * torch.randn_like(weight) for name, weight in model.weights.items()
    }
    found._model.load_state_dict(found.weights, strict=False)
    return found
