"""Rollouts from a vLLM server, by its token-in, token-out endpoint.

The server is to be started as docs/rollouts.md says: its control endpoints open, log-probabilities
after all processing, and the worker extension of trainer/rollout/vllm_worker.py loaded.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trainer.model import ModelConfig
from trainer.rollout.engine import Completion, Request, Sampling
from trainer.rollout.served import ServedEngine
from trainer.rollout.transfer import Meeting


class VLLMEngine(ServedEngine):
    """See ServedEngine."""

    name = "vLLM"

    def _greet(self, model: ModelConfig) -> None:
        said = self._rpc("touchstone_describe").result()["results"][0]
        self._compare(model, said["config"])
        if said["logprobs_mode"] != "processed_logprobs":
            raise self._error(
                "greeting",
                f"started with --logprobs-mode {said['logprobs_mode']}; "
                "processed_logprobs is wanted",
            )

    def _ranks(self) -> int:
        return int(self._ask("GET", "/get_world_size")["world_size"])

    async def _complete(self, rid: str, request: Request, sampling: Sampling) -> Completion:
        said = await self._sample(
            rid,
            request.ids,
            max_tokens=request.limit(sampling),
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            seed=request.seed,
            stop_token_ids=list(sampling.stop_token_ids),
            logprobs=0,
        )
        choice = said["choices"][0]
        scores = [entry["logprob"] for entry in (choice["logprobs"] or {}).get("content") or ()]
        finish, spans = choice["finish_reason"], choice["weight_versions"] or ()
        return self._completion(rid, sampling, choice["token_ids"], scores, finish, spans)

    async def _score(self, rid: str, ids: tuple[int, ...]) -> list[float]:
        said = await self._sample(rid, ids, max_tokens=1, prompt_logprobs=0)
        places = zip(ids[1:], said["prompt_logprobs"][1:], strict=True)
        return [float(place[str(token)]["logprob"]) for token, place in places]

    async def _sample(self, rid: str, ids: tuple[int, ...], **parameters: Any) -> Any:
        body = {
            "request_id": rid,
            "token_ids": list(ids),
            # What ends a completion is ours to say, and nothing here is text.
            "sampling_params": {"ignore_eos": True, "detokenize": False, **parameters},
        }
        return await self._call("POST", "/inference/v1/generate", f"request {rid}", json=body)

    def _abort(self, prefix: str) -> None:
        """vLLM ends what nobody waits for any more."""

    def _hold(self) -> None:
        self._ask("POST", "/pause", params={"mode": "keep", "clear_cache": "true"})

    def _go_on(self) -> None:
        self._ask("POST", "/resume")

    def _begin(self) -> None:
        self._rpc("touchstone_begin").result()

    def _read(self, directory: Path) -> None:
        self._rpc("touchstone_read", directory=str(directory)).result()

    def _take(self, handles: list[str]) -> None:
        self._rpc("touchstone_take", handles=handles).result()

    def _join(self, meeting: Meeting) -> Future[Any]:
        return self._rpc("touchstone_join", **asdict(meeting))

    def _leave(self) -> None:
        self._rpc("touchstone_leave").result()

    def _receive(self, tensors: dict[str, Any]) -> Future[Any]:
        return self._rpc("touchstone_receive", **tensors)

    def _end(self, version: int) -> None:
        said = self._rpc("touchstone_end").result()["results"]
        missing = sorted({name for rank in said for name in rank["missing"]})
        if missing:
            raise self._error("touchstone_end", f"no weights came for {', '.join(missing)}")
        self._ask("POST", "/update_weight_version", json={"new_version": str(version)})

    def _rpc(self, method: str, **arguments: Any) -> Future[Any]:
        """Calls a method of trainer/rollout/vllm_worker.py on every rank; `results` has each's."""
        body = {"method": method, "kwargs": arguments}
        return self._later("POST", "/collective_rpc", what=method, json=body)
