"""The bodies with which OpenRLHF and slime ask a remote reward model. Pure.

OpenRLHF (`--reward.remote_url`): `{"query": [prompt and response], "prompts": [...], "labels":
[...]}` for `{"rewards": [...], "scores": [...], "extra_logs": {name: [...]}}`. slime (`--rm-type
remote_rm --rm-url`): `{"prompt", "response", "label"}` for the reward alone. A label says what is
right: a reference answer, several, or an item's other fields (docs/http.md). Neither body has a
place for "no reward", so what a verdict without one becomes is asked for in the address.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from starlette.exceptions import HTTPException

from verifier.ends import without_ends
from verifier.http.body import model, once
from verifier.http.items import Items, item_of
from verifier.http.words import RETRY, shown
from verifier.v1 import verifier_pb2 as pb
from verifier.wire import Unreadable

RAISE, NONE, ZERO = "raise", "none", "zero"
ON_FAILURE = (RAISE, NONE, ZERO)
"""verifier.client's words; its "mask" has no form in these bodies."""

REFUSED = (pb.Verdict.INVALID, pb.Verdict.UNDECIDED)
"""Asking again would give the same."""


class OpenRlhf(BaseModel):
    """A request of OpenRLHF's: three lists of one length."""

    query: list[str]
    prompts: list[str]
    labels: list[Any]


class Slime(BaseModel):
    """A request of slime's: one sample."""

    prompt: str | list[dict[str, Any]] = ""
    response: str
    label: Any


@dataclass(frozen=True)
class Asked:
    """What the address says beside the path."""

    recipe: str
    on_failure: str


def asked(query: Mapping[str, str]) -> Asked:
    """The parameters of an address. Raises HTTPException."""
    unknown = query.keys() - {"recipe", "on_failure"}
    if unknown:
        raise HTTPException(
            400, f"query: recipe and on_failure are known, got {shown(min(unknown))}"
        )
    on_failure = query.get("on_failure", RAISE)
    if on_failure not in ON_FAILURE:
        raise HTTPException(
            400, f"on_failure: one of {', '.join(ON_FAILURE)}, got {shown(on_failure)}"
        )
    return Asked(query.get("recipe", ""), on_failure)


def openrlhf_items(raw: bytes, asked: Asked, most: int) -> Items:
    """One item for each query of a body. Raises HTTPException."""
    body = model(OpenRlhf)(raw)
    counts = [len(body.query), len(body.prompts), len(body.labels)]
    if len(set(counts)) > 1:
        got = "{}, {} and {}".format(*counts)
        raise HTTPException(400, f"query, prompts, labels: lists of one length, got {got}")
    if counts[0] > most:
        raise HTTPException(400, f"query: at most {most} queries, got {counts[0]}")
    rows = zip(body.query, body.prompts, body.labels, strict=True)
    return [
        _response_of(prompt, query, label, asked, place)
        for place, (query, prompt, label) in enumerate(rows)
    ]


def _response_of(
    prompt: str, query: str, label: Any, asked: Asked, place: int
) -> pb.Item | Unreadable:
    if not query.startswith(prompt):
        wanted = f"begins with prompts[{place}]"
        return Unreadable("", f"query[{place}]: {wanted}, got {shown(query)}")
    return _item(prompt, query[len(prompt) :], label, asked, f"labels[{place}]")


def slime_items(raw: bytes, asked: Asked) -> Items:
    """The one item of a body. Raises HTTPException."""
    body = model(Slime)(raw)
    prompt = body.prompt
    if not isinstance(prompt, str):
        prompt = "\n".join(str(message.get("content", "")) for message in prompt)
    return [_item(prompt, body.response, body.label, asked, "label")]


def _item(prompt: str, response: str, label: Any, asked: Asked, path: str) -> pb.Item | Unreadable:
    if isinstance(label, str):
        with suppress(ValueError, RecursionError):
            read = json.loads(label, object_pairs_hook=once)
            label = read if isinstance(read, dict) else label
    references = label if isinstance(label, list) else [label]
    if isinstance(label, dict):
        own = label.keys() & {"id", "prompt", "response"}
        if own:
            return Unreadable("", f"{path}: is given by the body itself, got {shown(min(own))}")
        fields = dict(label)
    elif all(type(one) in (str, int, float) for one in references):
        fields = {"math": {"gold": [str(one) for one in references]}}
    else:
        wanted = "a reference answer, a list of them, or an object with an item's fields"
        return Unreadable("", f"{path}: {wanted}, got {shown(label)}")
    if asked.recipe and not fields.keys() & {"recipe", "inline_recipe", "inlineRecipe"}:
        fields["recipe"] = asked.recipe
    fields |= {"prompt": prompt, "response": without_ends(response)}
    return item_of(fields, path)


def rewards(verdicts: Sequence[pb.Verdict], asked: Asked) -> list[float | None]:
    """The rewards; what there is instead of one was asked for. Raises HTTPException."""
    failed = [verdict for verdict in verdicts if verdict.status != pb.Verdict.OK]
    if failed and asked.on_failure == RAISE:
        raise failure(failed[0])
    instead = 0.0 if asked.on_failure == ZERO else None
    return [one.reward if one.HasField("reward") else instead for one in verdicts]


def failure(verdict: pb.Verdict) -> HTTPException:
    """A verdict without a reward as an error: 422 where asking again is of no use, else 503."""
    message = f"{pb.Verdict.Status.Name(verdict.status)}: {verdict.evidence.message}"
    if verdict.status in REFUSED:
        return HTTPException(422, message)
    return HTTPException(503, message, RETRY)


def openrlhf_answer(verdicts: Sequence[pb.Verdict], asked: Asked) -> dict[str, Any]:
    """Rewards; the accuracy parts as the scores by which OpenRLHF filters; all parts as logs."""
    values = rewards(verdicts, asked)
    parts = [
        {part.name: part.score for part in verdict.parts if part.HasField("score")}
        for verdict in verdicts
    ]
    common = set.intersection(*map(set, parts)) if parts else set()
    return {
        "rewards": values,
        "scores": [
            scored.get("accuracy", value) if value is not None else None
            for scored, value in zip(parts, values, strict=True)
        ],
        "extra_logs": {name: [scored[name] for scored in parts] for name in sorted(common)},
    }
