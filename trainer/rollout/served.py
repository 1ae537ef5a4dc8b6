"""What the clients of SGLang and of vLLM share: requests over HTTP, liveness, and weight sync.

Invariants: of all that is asked at once at most `concurrency` requests are with the server; a
request ends in its completion or in an EngineError that names it and the server; a server that is
gone is noticed by the broken connection, one that hangs by its silence. A sync pauses the server,
drops what it has computed with the old weights, sends all new ones, and resumes; one that fails
leaves the engine unusable until another succeeds, for nobody knows what the server then has.

Not covered: starting a server (docs/rollouts.md); a server of several replicas behind one address.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Any, ClassVar, Literal, TypeVar

import httpx2
import torch.distributed as dist
from torch import Tensor

from trainer.model import ModelConfig
from trainer.rollout.engine import (
    Completion,
    EngineAway,
    EngineError,
    Finish,
    Request,
    Sampling,
    Span,
)
from trainer.rollout.transfer import (
    Meeting,
    Named,
    broadcast,
    buckets,
    call_meeting,
    described,
    meet,
    save_buckets,
    share,
)

SyncMode = Literal["disk", "tensor", "distributed"]

T = TypeVar("T")

CONCURRENCY = 512
"""Requests with a server at once: more than it runs in a batch, so that it never waits for us."""

CONNECT_SECONDS = 10.0
"""A server that does not take a connection for so long is not there."""

FINISHES: dict[str, Finish] = {"stop": "stop", "length": "length", "abort": "abort"}

SHAPE = (
    "architectures",
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "tie_word_embeddings",
)
"""What of a config.json must be the same on both sides for weights to fit."""

PROBE_SECONDS = 5.0
"""How often a server that owes answers is asked whether it lives."""


class ServedEngine(ABC):
    """A RolloutEngine behind HTTP; the subclasses know their server's words."""

    name: ClassVar[str]
    """The engine's, for people."""

    def __init__(
        self,
        url: str,
        model: ModelConfig,
        *,
        sync: SyncMode = "disk",
        timeout_seconds: float = 600.0,
        concurrency: int = CONCURRENCY,
    ) -> None:
        """Raises EngineAway when no such server answers, EngineError for one with another model.
        `timeout_seconds` is how long a server may be silent."""
        self.url = url.rstrip("/")
        self.version = 0
        self._sync: SyncMode = sync
        self._seconds = timeout_seconds
        self._concurrency = concurrency
        self._group: dist.ProcessGroup | None = None
        self._synced = False
        self._held = False  # the server's state
        self._paused = False  # the caller's wish
        self._broken: str | None = None
        self._heard = time.monotonic()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._client = httpx2.AsyncClient(
            base_url=self.url,
            timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
            # No connection is used twice: a server closes those that were idle for a while, and a
            # request that is just being sent on one would fail.
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0),
            # A proxy is for the outside; an engine is a machine of one's own.
            trust_env=False,
        )
        try:
            self._greet(model)
        except EngineError:
            self.close()
            raise

    # What a subclass says in its server's words.

    @abstractmethod
    def _greet(self, model: ModelConfig) -> None:
        """Raises EngineError unless the server serves this model as this client needs it."""

    @abstractmethod
    def _ranks(self) -> int:
        """Processes of the server that hold weights."""

    @abstractmethod
    async def _complete(self, rid: str, request: Request, sampling: Sampling) -> Completion: ...

    @abstractmethod
    async def _score(self, rid: str, ids: tuple[int, ...]) -> list[float]: ...

    @abstractmethod
    def _abort(self, prefix: str) -> None:
        """Ends all requests whose ids begin so."""

    @abstractmethod
    def _hold(self) -> None:
        """Stops generating and drops all keys and values; requests wait where they are."""

    @abstractmethod
    def _go_on(self) -> None: ...

    @abstractmethod
    def _begin(self) -> None: ...

    @abstractmethod
    def _read(self, directory: Path) -> None:
        """Has the server load a directory's files."""

    @abstractmethod
    def _take(self, handles: list[str]) -> None:
        """Has the server load shared tensors, with handles for each rank."""

    @abstractmethod
    def _join(self, meeting: Meeting) -> Future[Any]: ...

    @abstractmethod
    def _leave(self) -> None: ...

    @abstractmethod
    def _receive(self, tensors: dict[str, Any]) -> Future[Any]:
        """Has the server load what the group is about to broadcast, `described`."""

    @abstractmethod
    def _end(self, version: int) -> None:
        """Ends the update; what is sampled from now on has this version."""

    # The protocol.

    def generate(
        self, requests: Sequence[Request], sampling: Sampling
    ) -> Iterator[tuple[int, Completion]]:
        """See RolloutEngine."""
        found: SimpleQueue[tuple[int, Completion] | None] = SimpleQueue()
        prefix = uuid.uuid4().hex
        running = self._submit(self._generate(prefix, requests, sampling, found.put))
        running.add_done_callback(lambda _: found.put(None))
        try:
            while (one := found.get()) is not None:
                yield one
            running.result()
        finally:
            if not running.done():
                running.cancel()
                self._abort(prefix)

    def logprobs(self, sequences: Sequence[tuple[int, ...]]) -> list[list[float]]:
        """See RolloutEngine. A server has to have room for one token more than a sequence has."""

        async def scores() -> list[list[float]]:
            prefix = uuid.uuid4().hex
            return await self._gathered(
                prefix,
                [self._score(f"{prefix}-{index}", ids) for index, ids in enumerate(sequences)],
            )

        return self._submit(scores()).result()

    def sync(self, weights: Iterable[tuple[str, Tensor]], version: int) -> None:
        """See RolloutEngine."""
        done = False
        try:
            self._halt()
            if self._sync == "disk":
                self._sync_by_disk(weights, version)
            else:
                self._begin()
                kept = []  # a server may answer before its GPU has copied
                for bucket in buckets(weights):
                    if self._sync == "tensor":
                        self._take([share(bucket) for _ in range(self._ranks())])
                        kept += bucket if bucket[0][1].is_cuda else []
                    else:
                        self._broadcast(bucket)
                self._end(version)
            done = True
        except (EngineError, RuntimeError, ConnectionError) as error:  # torch's are RuntimeErrors
            raise self._error(f"sync of version {version} by {self._sync}", str(error)) from error
        finally:
            self._broken = None if done else f"the sync of version {version} failed"
            if not done:
                self._group = None
        self.version, self._synced = version, True
        if not self._paused:
            self.resume()

    def pause(self) -> None:
        """See RolloutEngine."""
        self._halt()
        self._paused = True

    def resume(self) -> None:
        """See RolloutEngine."""
        if self._broken is not None:
            raise self._error("resume", self._broken)
        self._go_on()
        self._held = self._paused = False
        self._heard = time.monotonic()

    def close(self) -> None:
        """See RolloutEngine. The server goes on."""
        if self._loop.is_closed():
            return
        if self._group is not None:
            with contextlib.suppress(EngineError):  # it may be gone
                self._leave()
            dist.destroy_process_group(self._group)
        self._submit(self._client.aclose()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # How it is done.

    def _halt(self) -> None:
        if not self._held:
            self._hold()
            self._held = True

    def _sync_by_disk(self, weights: Iterable[tuple[str, Tensor]], version: int) -> None:
        # The server has a copy when it has answered, and may have the files open no longer.
        with tempfile.TemporaryDirectory(prefix="touchstone-weights-") as temporary:
            save_buckets(weights, Path(temporary))
            self._begin()
            self._read(Path(temporary))
            self._end(version)

    def _broadcast(self, bucket: Named) -> None:
        if self._group is None:
            where = httpx2.URL(self.url)
            name = f"touchstone-{uuid.uuid4().hex}"
            backend = "nccl" if bucket[0][1].is_cuda else "gloo"
            self._store, meeting = call_meeting(
                (where.host, where.port or 80), 1 + self._ranks(), name, backend, self._seconds
            )
            self._group = meet(self._store, meeting, self._join(meeting))
        received = self._receive(described(bucket))
        broadcast([tensor.contiguous() for _, tensor in bucket], self._group, received)
        received.result()

    async def _generate(
        self,
        prefix: str,
        requests: Sequence[Request],
        sampling: Sampling,
        put: Callable[[tuple[int, Completion]], None],
    ) -> None:
        if self._broken is not None:
            raise self._error("generate", self._broken)
        gate = asyncio.Semaphore(self._concurrency)

        async def one(index: int) -> None:
            async with gate:
                request = requests[index]
                put((index, await self._complete(f"{prefix}-{index}", request, sampling)))

        await self._gathered(prefix, [one(index) for index in range(len(requests))])

    async def _gathered(self, prefix: str, coroutines: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
        """All results; the first error ends the others. Watches that the server lives."""
        self._heard = time.monotonic()
        tasks: list[asyncio.Task[T]] = []

        def waiting() -> str:
            left = [index for index, task in enumerate(tasks) if not task.done()]
            first = min(left, default=0)
            return f"{len(left)} of {len(tasks)} answers to come, first request {prefix}-{first}"

        try:
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(self._watch(waiting))
                async with asyncio.TaskGroup() as work:
                    tasks += [work.create_task(coroutine) for coroutine in coroutines]
                watch.cancel()
        except BaseExceptionGroup as several:
            raise _first(several) from None
        return [task.result() for task in tasks]

    async def _watch(self, waiting: Callable[[], str]) -> None:
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            if self._broken is not None:
                raise self._error(waiting(), self._broken)
            if self._held:
                self._heard = time.monotonic()
                continue
            try:
                answer = await self._client.get("/health", timeout=self._seconds)
                if answer.status_code == httpx2.codes.OK:
                    self._heard = time.monotonic()
            except httpx2.TimeoutException:
                pass
            except httpx2.HTTPError as error:
                raise self._error(waiting(), f"GET /health: {type(error).__name__}") from error
            if time.monotonic() - self._heard > self._seconds:
                raise self._error(waiting(), f"silent for more than {self._seconds:g} s")

    async def _call(self, method: str, path: str, what: str = "", **arguments: Any) -> Any:
        """The body of an answer, parsed. Raises EngineError for any but 200."""
        asked = f"{method} {path}{what and f' ({what})'}"
        try:
            answer = await self._client.request(method, path, **arguments)
        except httpx2.HTTPError as error:
            raise self._error(asked, f"{type(error).__name__}: {error}", EngineAway) from error
        if answer.status_code != httpx2.codes.OK:
            raise self._error(asked, f"status {answer.status_code}: {answer.text[:1000]}")
        self._heard = time.monotonic()
        return answer.json() if answer.content[:1] in (b"{", b"[") else answer.text

    def _later(self, method: str, path: str, **arguments: Any) -> Future[Any]:
        """A call to the control side of the server, which may be silent for `timeout_seconds`."""
        timeout = httpx2.Timeout(self._seconds, connect=CONNECT_SECONDS)
        return self._submit(self._call(method, path, timeout=timeout, **arguments))

    def _ask(self, method: str, path: str, **arguments: Any) -> Any:
        return self._later(method, path, **arguments).result()

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def _compare(self, model: ModelConfig, served: Mapping[str, Any]) -> None:
        """Raises EngineError where what is known of the served model is not the trainer's."""
        for key in SHAPE:
            ours, theirs = model.raw.get(key), served.get(key)
            if ours is not None and theirs is not None and ours != theirs:
                raise self._error(
                    "greeting", f"it serves a model with {key} {theirs}, the trainer's has {ours}"
                )

    def _error(self, asked: str, said: str, kind: type[EngineError] = EngineError) -> EngineError:
        return kind(f"{self.name} at {self.url}: {asked}: {said}")

    def _completion(
        self,
        rid: str,
        sampling: Sampling,
        ids: Sequence[int],
        logprobs: Sequence[float],
        finish: str,
        spans: Sequence[Mapping[str, Any]],
    ) -> Completion:
        """Of what a server said. Raises EngineError for no token and for weights that were never
        sent: those of a server started anew."""
        if not ids:
            raise self._error(f"request {rid}", f"no token came ({finish})")
        if sampling.temperature == 0.0:
            logprobs = [0.0] * len(ids)
        found = []
        for span in spans:
            label = str(span["version"])
            if not label.isdigit() and self._synced:
                raise self._error(
                    f"request {rid}",
                    f"sampled with weights {label!r}, not with version {self.version}: was the "
                    "server started again?",
                )
            version = int(label) if label.isdigit() else 0
            found.append(Span(version, int(span["start"]), min(int(span["end"]), len(ids))))
        return Completion(tuple(ids), tuple(logprobs), FINISHES[finish], tuple(found))


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
