"""The OpenAPI description, from the contract's descriptors and the foreign bodies' models. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from verifier._version import VERSION
from verifier.http import fusion, trainers
from verifier.v1 import verifier_pb2 as pb

Schema = dict[str, Any]

_REF = "#/components/schemas/"

_SCALARS: Mapping[int, Schema] = {
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number"},
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_UINT32: {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
    # Written as text, since not every reader of JSON holds such numbers; read as either.
    FieldDescriptor.TYPE_UINT64: {"type": ["string", "integer"]},
}

_MODELS: tuple[type[BaseModel], ...] = (
    trainers.OpenRlhf,
    trainers.Slime,
    fusion.RunCode,
    fusion.RunAnswer,
    fusion.Submit,
    fusion.SubmitAnswer,
)


def _ref(name: str) -> Schema:
    return {"$ref": f"{_REF}{name}"}


def _of_field(field: FieldDescriptor, found: dict[str, Schema]) -> Schema:
    inner = field.message_type
    if inner is not None and inner.GetOptions().map_entry:
        of = _of_field(inner.fields_by_name["value"], found)
        return {"type": "object", "additionalProperties": of}
    if inner is not None:
        _add_message(inner, found)
        one = _ref(inner.name)
    elif field.enum_type is not None:
        one = {"type": "string", "enum": [value.name for value in field.enum_type.values]}
    else:
        one = dict(_SCALARS[field.type])
    return {"type": "array", "items": one} if field.default_value == [] else one


def _add_message(message: Descriptor, found: dict[str, Schema]) -> None:
    """The JSON mapping of a message and of all below it."""
    if message.name in found:
        return
    schema: Schema = {"type": "object", "additionalProperties": False}
    found[message.name] = schema
    schema["properties"] = {field.name: _of_field(field, found) for field in message.fields}


def _schemas() -> dict[str, Schema]:
    found: dict[str, Schema] = {}
    for message in (pb.Batch, pb.IndexedVerdict, pb.DescribeResponse):
        _add_message(message.DESCRIPTOR, found)
    found["Batch"]["required"] = ["items"]
    # The writer says null where there is none (docs/service.md).
    found["Verdict"]["properties"]["reward"] = {"type": ["number", "null"]}
    found["Part"]["properties"]["score"] = {"type": ["number", "null"]}
    found["Error"] = {
        "type": "object",
        "properties": {"error": {"type": "string"}},
        "required": ["error"],
        "additionalProperties": False,
    }
    found["OpenRlhfAnswer"] = {
        "type": "object",
        "properties": {
            "rewards": {"type": "array", "items": {"type": ["number", "null"]}},
            "scores": {"type": "array", "items": {"type": ["number", "null"]}},
            "extra_logs": {
                "type": "object",
                "additionalProperties": {"type": "array", "items": {"type": "number"}},
            },
        },
        "required": ["rewards", "scores", "extra_logs"],
    }
    found["State"] = {"type": "object", "properties": {"status": {"type": "string"}}}
    _, models = models_json_schema(
        [(model, "validation") for model in _MODELS], ref_template=f"{_REF}{{model}}"
    )
    found |= models["$defs"]
    return found


_ERRORS = {
    "400": "Body, address or a header is not as it should be; the message names the field.",
    "401": "A token is wanted, and none or no good one came.",
    "403": "The client's certificate has no name that can be used.",
    "408": "The body came too slowly.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "421": "The Host header names another machine, and the front is on loopback.",
    "422": "INVALID or UNDECIDED: no reward, and none when asked again.",
    "431": "The headers are too large.",
    "429": "Too many items, or programs, are at work, or a quota is used up; see Retry-After.",
    "503": "Too much is being read, the server stops, or it failed; see Retry-After.",
}
_WHO = ("400", "401", "403")
"""What every path but the health checks may answer."""

_JSON = "application/json"


def _answers(schema: Schema, kind: str, *errors: str) -> Schema:
    error = {_JSON: {"schema": _ref("Error")}}
    good = {"description": "The answer.", "content": {kind: {"schema": schema}}}
    return {"200": good} | {
        code: {"description": _ERRORS[code], "content": error} for code in errors
    }


def _get(summary: str, schema: Schema, *errors: str) -> Schema:
    return {"get": {"summary": summary, "responses": _answers(schema, _JSON, *errors)}}


def _post(
    summary: str,
    body: str,
    schema: Schema,
    kind: str = _JSON,
    parameters: list[Schema] | None = None,
) -> Schema:
    return {
        "post": {
            "summary": summary,
            "parameters": parameters or [],
            "requestBody": {"required": True, "content": {_JSON: {"schema": _ref(body)}}},
            "responses": _answers(schema, kind, *_ERRORS),
        }
    }


_ASKED: list[Schema] = [
    {
        "name": "recipe",
        "in": "query",
        "description": "Of labels that name none; as GET /v1/describe lists them.",
        "schema": {"type": "string"},
    },
    {
        "name": "on_failure",
        "in": "query",
        "description": "What a verdict without a reward becomes: an error, null or 0.",
        "schema": {"type": "string", "enum": list(trainers.ON_FAILURE)},
    },
]

DESCRIPTION: Schema = {
    "openapi": "3.1.0",
    "info": {
        "title": "Touchstone",
        "version": VERSION,
        "description": "Rewards for reinforcement learning: items in, verdicts out.",
    },
    "paths": {
        "/v1/verify": _post("Verify one item.", "Item", _ref("Verdict")),
        "/v1/verify_batch": _post(
            "Verify many items; one line for each, as they finish.",
            "Batch",
            _ref("IndexedVerdict"),
            "application/jsonl",
        ),
        "/v1/describe": _get(
            "What this server can do and its limits.", _ref("DescribeResponse"), *_WHO
        ),
        "/openrlhf": _post(
            "OpenRLHF's remote reward model.",
            "OpenRlhf",
            _ref("OpenRlhfAnswer"),
            parameters=_ASKED,
        ),
        "/slime": _post(
            "slime's remote reward model: the reward alone.",
            "Slime",
            {"type": ["number", "null"]},
            parameters=_ASKED,
        ),
        "/run_code": _post("SandboxFusion's: run a program.", "RunCode", _ref("RunAnswer")),
        "/submit": _post("SandboxFusion's: grade a completion.", "Submit", _ref("SubmitAnswer")),
        "/openapi.json": _get("This description.", {"type": "object"}, *_WHO),
        "/healthz": _get("The process answers.", _ref("State")),
        "/readyz": _get("It takes work.", _ref("State"), "503"),
    },
    "components": {
        "schemas": _schemas(),
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
    },
    # None is wanted by a server without tokens.
    "security": [{}, {"token": []}],
}
"""OpenAPI 3.1."""
