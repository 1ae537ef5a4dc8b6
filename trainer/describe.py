"""A recipe's keys as a table of Markdown: what `docs/training.md` and `touchstone-train fields`
show, made of the fields themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from trainer.config import Section

_HEAD = ("| key | default | values | what it is |", "|---|---|---|---|")
_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def table(kind: type[Section]) -> str:
    """One row for each key: default, values, meaning."""
    schema = kind.model_json_schema()
    return "\n".join([*_HEAD, *_rows(schema, schema.get("$defs", {}), "")])


def tables(kinds: Mapping[str, type[Section]]) -> str:
    """A table for each kind under its name. What is a table inside has one of its own, below."""
    found, inner = dict[str, Mapping[str, Any]](), dict[str, Mapping[str, Any]]()
    for name, kind in kinds.items():
        found[name] = kind.model_json_schema()
        inner |= found[name].get("$defs", {})
    parts, shown = list[str](), dict[tuple[str, ...], tuple[str, list[str]]]()
    for name, schema in (found | dict(sorted(inner.items(), key=lambda one: len(one[0])))).items():
        rows, said = list(_rows(schema, None, "")), _line(schema.get("description", ""))
        like, before = shown.setdefault(tuple(schema["properties"]), (name, []))
        if like != name:
            said += f" The keys of `{like}`"
            own = [row for row in rows if row not in before]
            said += ", with these differences:" if own else "."
            rows = own
        else:
            before += rows
        own_table = ["", *_HEAD, *rows] if rows else []
        parts.append("\n".join([f"### `{name}`", "", said, *own_table]))
    return "\n\n".join(parts)


def _rows(
    section: Mapping[str, Any], sections: Mapping[str, Any] | None, prefix: str
) -> Iterator[str]:
    """Of a table inside those of its keys; without `sections` a row that names it."""
    for name, field in section["properties"].items():
        if "const" in field:
            continue
        inner = field.get("$ref") or field.get("anyOf", [{}])[0].get("$ref")
        if inner and sections is not None:
            yield from _rows(sections[_name(inner)], sections, f"{prefix}{name}.")
            continue
        default = "required" if name in section.get("required", ()) else ""
        if field.get("default") is not None and not inner:
            default = f"`{json.dumps(field['default'])}`"
        said = _line(field.get("description", ""))
        yield f"| `{prefix}{name}` | {default} | {_values(field)} | {said} |"


def _values(field: Mapping[str, Any]) -> str:
    if "anyOf" in field:  # with none, which a recipe cannot say
        return _values(field["anyOf"][0])
    if "$ref" in field:
        return f"table `{_name(field['$ref'])}`"
    if "enum" in field:
        return ", ".join(f"`{choice}`" for choice in field["enum"])
    if "prefixItems" in field:
        return f"{len(field['prefixItems'])} of: {_values(field['prefixItems'][0])}"
    if "items" in field:
        return f"list of: {_values(field['items'])}"
    words = {"boolean": "true, false", "string": field.get("format", "text"), "object": "table"}
    bounds = [f"{sign} {field[bound]}" for bound, sign in _BOUNDS.items() if bound in field]
    return " ".join([words.get(field["type"], field["type"]), *bounds])


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
