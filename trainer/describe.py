"""A recipe's keys as a table of Markdown: what `docs/training.md` and `touchstone-train fields`
show, made of the fields themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from trainer.config import Section

_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def table(kind: type[Section]) -> str:
    """One row for each key: default, values, meaning."""
    schema = kind.model_json_schema()
    rows = _rows(schema, schema["$defs"], "")
    return "\n".join(["| key | default | values | what it is |", "|---|---|---|---|", *rows])


def _rows(section: Mapping[str, Any], sections: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, field in section["properties"].items():
        if "$ref" in field:
            inner = sections[field["$ref"].rpartition("/")[2]]
            yield from _rows(inner, sections, f"{prefix}{name}.")
            continue
        default = "required" if name in section.get("required", ()) else ""
        if field.get("default") is not None:
            default = f"`{json.dumps(field['default'])}`"
        yield f"| `{prefix}{name}` | {default} | {_values(field)} | {field['description']} |"


def _values(field: Mapping[str, Any]) -> str:
    if "anyOf" in field:  # with none, which a recipe cannot say
        return _values(field["anyOf"][0])
    if "enum" in field:
        return ", ".join(f"`{choice}`" for choice in field["enum"])
    if "prefixItems" in field:
        return f"{len(field['prefixItems'])} of: {_values(field['prefixItems'][0])}"
    words = {"boolean": "true, false", "string": field.get("format", "text"), "object": "table"}
    bounds = [f"{sign} {field[bound]}" for bound, sign in _BOUNDS.items() if bound in field]
    return " ".join([words.get(field["type"], field["type"]), *bounds])
