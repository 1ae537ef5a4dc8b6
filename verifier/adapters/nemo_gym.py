"""NeMo-Gym: a resources server whose /verify asks the service.

Its base is nemo_gym/base_resources_server.py; docs/examples/nemo_gym_app.py starts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nemo_gym.base_resources_server import (  # type: ignore[import-not-found]
    BaseResourcesServerConfig,
    BaseVerifyRequest,
    BaseVerifyResponse,
    SimpleResourcesServer,
)
from pydantic import ConfigDict, Field

from verifier.adapters.core import Rewarder, Sample, scores_of, status_of


class TouchstoneConfig(BaseResourcesServerConfig):  # type: ignore[misc]
    """`options` are those of every adapter, without the address."""

    address: str
    options: dict[str, Any] = Field(default_factory=dict)


class TouchstoneRequest(BaseVerifyRequest):  # type: ignore[misc]
    """With the dataset's own fields beside those of NeMo-Gym."""

    model_config = ConfigDict(extra="allow")


class TouchstoneResponse(BaseVerifyResponse):  # type: ignore[misc]
    """With the status of the verdict and its parts' scores."""

    model_config = ConfigDict(extra="allow")
    verdict_status: str
    parts: dict[str, float]


class TouchstoneResourcesServer(SimpleResourcesServer):  # type: ignore[misc]
    """The row is what the request has beside NeMo-Gym's own fields; `expected_answer` is a
    reference answer, or an object of Item fields.

    Under the policy `mask` a sample without a verdict has `mask_sample` set; `none` there is not.
    """

    config: TouchstoneConfig

    def model_post_init(self, context: Any) -> None:
        super().model_post_init(context)
        policies = ["raise", "zero"]
        if "mask_sample" in BaseVerifyResponse.model_fields:
            policies.append("mask")
        self._rewarder = Rewarder(
            self.config.address,
            trainer="this NeMo-Gym",
            policies=policies,
            usual={"truth": "expected_answer"},
            **self.config.options,
        )

    async def verify(self, body: TouchstoneRequest) -> TouchstoneResponse:
        """Raises NoReward, ColumnMissing."""
        told = body.model_dump()
        asked = told["responses_create_params"].get("input") or ""
        cut = told["response"].get("incomplete_details") or {}
        sample = Sample(
            body.model_extra or {},
            _response(told["response"]["output"]),
            name=f"response {told['response'].get('id')}",
            prompt=asked,
            truncated=cut.get("reason") == "max_output_tokens",
        )
        scored = await self._rewarder.ascore([sample])
        verdict = scored.verdicts[0]
        told |= {
            "reward": scored.numbers()[0],
            "verdict_status": status_of(verdict),
            "parts": scores_of(verdict),
        }
        if not scored.counts[0]:
            told |= {"mask_sample": True, "failure_reason": verdict.evidence.message}
        return TouchstoneResponse(**told)


def _response(output: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """An OpenAI response's output as chat messages: its reasoning belongs to what follows it."""
    messages = list[dict[str, Any]]()
    thought = ""
    for one in output:
        if one.get("type") == "reasoning":
            thought += "".join(part.get("text") or "" for part in one.get("summary") or [])
        elif one.get("type") == "message":
            content = [
                part for part in one.get("content") or [] if part.get("type") == "output_text"
            ]
            messages.append({"role": "assistant", "content": content, "reasoning_content": thought})
            thought = ""
    return messages
