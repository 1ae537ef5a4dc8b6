"""Rollouts from an SGLang server."""

from __future__ import annotations

import json
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from trainer.model import ModelConfig
from trainer.rollout.engine import Completion, EngineError, Request, Sampling
from trainer.rollout.served import ServedEngine
from trainer.rollout.transfer import Meeting

MASK_TOKENS = 4096
"""SGLang tells the probabilities left by top_p of at most so many tokens
(`--sampling-mask-max-tokens`), so top_p here also keeps no more than the likeliest so many."""


class SGLangEngine(ServedEngine):
    """See ServedEngine."""

    name = "SGLang"

    def _greet(self, model: ModelConfig) -> None:
        said = self._ask("GET", "/model_info")
        found = {"architectures": said["architectures"]}
        # SGLang tells no more, but the model lies where its tokenizer does, and may be in sight.
        config = Path(said["tokenizer_path"]) / "config.json"
        if config.is_file():
            found |= json.loads(config.read_text())
        self._compare(model, found)
        self._go_on()  # a trainer that has died may have left it paused
        if not self._knows(model.vocab_size - 1) or self._knows(model.vocab_size):
            raise self._error(
                "greeting", f"its vocabulary is not of {model.vocab_size}, as the trainer's is"
            )
        # What was allocated at the start need not be looked at in every collection of garbage, of
        # which each flush of the cache makes one.
        self._ask("POST", "/freeze_gc")

    def _knows(self, token: int) -> bool:
        """Whether the model has this token: SGLang lets nobody favour another."""
        parameters = {"max_new_tokens": 1, "logit_bias": {str(token): 0.0}}
        body = {"input_ids": [0], "sampling_params": parameters}
        try:
            self._ask("POST", "/generate", json=body)
        except EngineError as error:
            if "logit_bias" not in str(error):
                raise
            return False
        return True

    def _ranks(self) -> int:
        return int(self._ask("GET", "/server_info")["tp_size"])

    async def _complete(self, rid: str, request: Request, sampling: Sampling) -> Completion:
        cut = sampling.top_p < 1.0 or sampling.top_k > 0
        said = await self._sample(
            rid,
            request.ids,
            {
                "max_new_tokens": request.limit(sampling),
                "temperature": sampling.temperature,
                "top_p": sampling.top_p,
                "top_k": sampling.top_k or (MASK_TOKENS if cut else -1),
                "sampling_seed": request.seed,
                "stop_token_ids": list(sampling.stop_token_ids),
                "ignore_eos": not sampling.stop_token_ids,
            },
            return_sampling_mask=cut,
        )
        meta = said["meta_info"]
        if cut:
            scores = meta["output_token_sampling_logprobs"]
        else:
            scores = [entry[0] for entry in meta["output_token_logprobs"]]
        finish, spans = meta["finish_reason"]["type"], meta["weight_versions"]
        return self._completion(rid, sampling, said["output_ids"], scores, finish, spans)

    async def _score(self, rid: str, ids: tuple[int, ...]) -> list[float]:
        said = await self._sample(rid, ids, {"max_new_tokens": 1}, logprob_start_len=0)
        return [float(entry[0]) for entry in said["meta_info"]["input_token_logprobs"][1:]]

    async def _sample(
        self, rid: str, ids: tuple[int, ...], parameters: dict[str, Any], **more: Any
    ) -> Any:
        body = {
            "input_ids": list(ids),
            "sampling_params": {**parameters, "skip_special_tokens": False, "no_stop_trim": True},
            "return_logprob": True,
            "rid": rid,
            **more,
        }
        return await self._call("POST", "/generate", f"request {rid}", json=body)

    def _abort(self, prefix: str) -> None:
        self._ask("POST", "/abort_request", json={"rid": prefix})

    def _hold(self) -> None:
        # `retract` and not `in_place`: what runs gives its keys and values back and waits to be
        # read again, so that the cache of old prompts can be dropped. In place, prompts that are
        # asked again would be answered from keys and values of the old weights.
        self._ask("POST", "/pause_generation", json={"mode": "retract"})
        self._ask("POST", "/flush_cache")

    def _go_on(self) -> None:
        self._ask("POST", "/continue_generation", json={})

    def _begin(self) -> None:
        if self._sync == "disk":
            return
        try:
            self._ask("POST", "/begin_weight_update", json={})
        except EngineError as error:
            if "already open" not in str(error):
                raise
            # Of a trainer that has died in the middle of it.
            self._ask("POST", "/end_weight_update", json={})
            self._ask("POST", "/begin_weight_update", json={})

    def _read(self, directory: Path) -> None:
        body = {"model_path": str(directory), "flush_cache": False}
        self._ask("POST", "/update_weights_from_disk", json=body)

    def _take(self, handles: list[str]) -> None:
        body = {"serialized_named_tensors": handles, "flush_cache": False}
        self._ask("POST", "/update_weights_from_tensor", json=body)

    def _join(self, meeting: Meeting) -> Future[Any]:
        self._group_name = meeting.name
        body = {
            "master_address": meeting.address,
            "master_port": meeting.port,
            "rank_offset": 1,
            "world_size": meeting.size,
            "group_name": meeting.name,
            "backend": meeting.backend,
        }
        return self._later("POST", "/init_weights_update_group", json=body)

    def _leave(self) -> None:
        body = {"group_name": self._group_name}
        self._ask("POST", "/destroy_weights_update_group", json=body)

    def _receive(self, tensors: dict[str, Any]) -> Future[Any]:
        body = {**tensors, "group_name": self._group_name, "flush_cache": False}
        return self._later("POST", "/update_weights_from_distributed", json=body)

    def _end(self, version: int) -> None:
        if self._sync != "disk":
            self._ask("POST", "/end_weight_update", json={})
        body = {"new_version": str(version), "abort_all_requests": False}
        self._ask("POST", "/update_weight_version", json=body)
