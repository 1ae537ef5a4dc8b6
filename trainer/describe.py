"""A recipe's fields as a table of Markdown: what `docs/training.md` and `touchstone-train fields`
show, made of the fields themselves."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from trainer.config import Section, fields

_WORDS = {bool: "true, false", int: "integer", float: "number", str: "text", Path: "path"}
_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def table(kind: type[Section]) -> str:
    """One row for each field: key, default, values, meaning."""
    rows = [
        f"| `{key}` | {_default(info)} | {_values(info)} | {info.description} |"
        for key, info in fields(kind)
    ]
    return "\n".join(["| key | default | values | what it is |", "|---|---|---|---|", *rows])


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True, validated_data={})
    return "" if value is None else f"`{json.dumps(value)}`"


def _values(info: FieldInfo) -> str:
    return " ".join([_type(info.annotation), *_bounds(info.metadata)])


def _type(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in inner)
    if origin in (Union, types.UnionType):
        return ", ".join(_type(one) for one in inner if one is not type(None))
    if origin is tuple:
        return f"{len(inner)} of: {_type(inner[0])}"
    if origin is dict:
        return "table"
    if hasattr(annotation, "__metadata__"):
        return " ".join([_type(annotation.__origin__), *_bounds(annotation.__metadata__)])
    return _WORDS[annotation]


def _bounds(metadata: Any) -> Iterator[str]:
    for one in metadata:
        for name, sign in _BOUNDS.items():
            # A limit, or a field that holds some.
            for limit in (one, *getattr(one, "metadata", ())):
                if getattr(limit, name, None) is not None:
                    yield f"{sign} {getattr(limit, name)}"
