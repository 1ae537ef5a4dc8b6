"""How a row of a trainer's dataset and what the model wrote become an Item. Pure.

A field of an Item is read from the column of its own name, unless `columns` names another:
{"math": "solution"} reads `math` from the column `solution`, {"language": ""} reads no column as
`language`. `truth` stands for a task of any kind: its column holds an object of Item fields
({"choice": {"gold": "B"}}, as such or as JSON text), and anything else is a reference answer to a
`math` task. None and NaN are no value, so rows of different kinds may share their columns.

Forms that a task may have:

    math          an answer (a text or a number), a list of answers, or a MathTask's fields
    choice        a letter, or a ChoiceTask's fields
    the others    the fields of the task's message
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format

from verifier.v1.verifier_pb2 import Item, Recipe

_UNREADABLE = (json_format.ParseError, ValueError, OverflowError, RecursionError, SystemError)
"""By which protobuf gives up on a value."""

TASKS = ("math", "code", "choice", "instructions", "judge", "preference")
FIELDS = (*TASKS, "id", "recipe", "inline_recipe", "language", "deadline_ms")
TRUTH = "truth"

OF_TRUTH = (*FIELDS, "prompt", "meta")
"""What an object in the column of `truth` may have: all of an Item but the response."""

THOUGHTS = ("reasoning_content", "reasoning", "thinking")
"""Where servers and chat parsers keep what stood before `</think>`."""


class ColumnMissing(Exception):
    """A column that no row has: a mistake in the settings, raised whatever the policy."""


class BadRow(Exception):
    """One row that cannot be an item: it gets an INVALID verdict, as the service would give."""


@dataclass(frozen=True)
class Sample:
    """What a trainer knows of one completion.

    `response` and `prompt` are each a text or a list of chat messages; where there is no response,
    a BadRow says why. `name` says in errors which one it is, where the row has no id.
    """

    row: Mapping[str, Any]
    response: object
    name: str
    prompt: object = ""
    truncated: bool = False


@dataclass(frozen=True)
class Columns:
    """The column of each field. Those of `usual`, an adapter's own, need not be there, and are not
    read where `given` has another use for them."""

    given: Mapping[str, str]
    usual: Mapping[str, str]

    def __post_init__(self) -> None:
        for field, column in self.given.items():
            if field not in (*FIELDS, TRUTH):
                known = ", ".join((*FIELDS, TRUTH))
                raise ValueError(f"columns: the fields are {known}, got {field!r}")
            if not isinstance(column, str):
                raise ValueError(f"columns[{field!r}]: a column's name, got {column!r}")

    def of(self, field: str) -> str:
        if field in self.given:
            return self.given[field]
        column = self.usual.get(field, field)
        return "" if column in self.given.values() else column

    def values(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The fields that have a value in the row. Raises ColumnMissing."""
        has = ", ".join(map(str, row)) or "no columns"
        found = {}
        for field in (*FIELDS, TRUTH):
            column = self.of(field)
            if column and column in row:
                value = plain(row[column])
                if value is not None:
                    found[field] = value
            elif column and field in self.given:
                raise ColumnMissing(
                    f"columns[{field!r}]: the rows have no column {column!r}, they have {has}"
                )
        if not any(self.of(field) in row for field in (*TASKS, TRUTH)):
            wanted = ", ".join(dict.fromkeys(filter(None, map(self.of, (*TASKS, TRUTH)))))
            raise ColumnMissing(
                f"columns: a task is in one of the columns {wanted}; the rows have {has}"
            )
        return found


def item_of(sample: Sample, columns: Columns, recipe: str | Recipe | None) -> Item:
    """The item of a completion. `recipe`, where given, stands in place of the rows' own.

    Raises BadRow naming the column and what it holds, ColumnMissing.
    """
    fields = columns.values(sample.row)
    if TRUTH in fields:
        for field, value in _truth(fields.pop(TRUTH), columns.of(TRUTH)).items():
            if field in fields and field in TASKS:
                both = f"columns {columns.of(field)!r} and {columns.of(TRUTH)!r}"
                raise BadRow(f"{field}: given by both {both}")
            fields.setdefault(field, value)
    tasks = [field for field in TASKS if field in fields]
    if len(tasks) != 1:
        empty = [columns.of(f) for f in (*TASKS, TRUTH) if columns.of(f) in sample.row]
        got = " and ".join(tasks) or f"none, the columns {', '.join(empty)} have no value"
        raise BadRow(f"task: exactly one of {', '.join(TASKS)} is required, got {got}")
    message: dict[str, Any] = {}
    for field, value in fields.items():
        message[field] = _form(field, value, columns.of(field))
    item = Item()
    for field, text in (
        ("prompt", prompt_text(sample.prompt)),
        ("response", response_text(sample.response)),
    ):
        try:
            setattr(item, field, text)
        except UnicodeEncodeError as error:  # half of a surrogate pair
            raise BadRow(f"{field}: no text that UTF-8 has, at {error.start}") from error
    for field, value in message.items():
        try:
            json_format.ParseDict({field: value}, item)
        except _UNREADABLE as error:
            why = str(error).partition(" Available Fields")[0]
            raise BadRow(f"column {columns.of(field)!r}: {why}") from error
    item.id = item.id or sample.name
    if sample.truncated:
        item.meta["finish"] = "length"
    if isinstance(recipe, Recipe):
        item.inline_recipe.CopyFrom(recipe)
    elif recipe is not None:
        item.recipe = recipe
    return item


def _truth(value: object, column: str) -> dict[str, Any]:
    """The Item fields of a value that may be a task of any kind."""
    fields = _object(value)
    if not fields:
        return {"math": value}
    unknown = [name for name in fields if name not in OF_TRUTH]
    if unknown:
        raise BadRow(
            f"column {column!r}: an object has the fields {', '.join(OF_TRUTH)}, got {unknown[0]!r}"
        )
    return {name: given for name, given in fields.items() if given is not None}


def _form(field: str, value: object, column: str) -> object:
    """A column's value as the JSON mapping of the field wants it."""
    as_object = _object(value)
    if field == "math":
        if as_object is not None and (not isinstance(value, str) or "gold" in as_object):
            return as_object
        golds = value if isinstance(value, list) else [value]
        for gold in golds:
            if isinstance(gold, bool) or not isinstance(gold, str | int | float):
                raise BadRow(
                    f"column {column!r}: an answer is a text or a number, got {reprlib.repr(gold)}"
                )
        return {"gold": [str(gold) for gold in golds]}
    if field == "choice" and isinstance(value, str) and as_object is None:
        return {"gold": value.strip()}
    if field in (*TASKS, "inline_recipe"):
        if as_object is None:
            got = reprlib.repr(value)
            raise BadRow(f"column {column!r}: an object or its JSON text, got {got}")
        return as_object
    return str(value) if field == "id" else value


def _object(value: object) -> dict[str, Any] | None:
    """The object that a value is, or is the JSON text of."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):  # as LaTeX may begin too
            return None
    return value if isinstance(value, dict) else None


def plain(value: Any) -> Any:
    """A value of numpy, pandas, torch or OmegaConf as one of Python, without what is None or NaN
    in its objects; None for what is no value at all."""
    if isinstance(value, str | bool | int) or value is None:
        return value
    if isinstance(value, float):
        return None if value != value else float(value)
    if isinstance(value, Mapping):
        made = {str(name): plain(given) for name, given in value.items()}
        return {name: given for name, given in made.items() if given is not None}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [plain(given) for given in value]
    return value


def response_text(value: object) -> str:
    """What the model wrote last, its thinking included. Raises BadRow.

    Chat messages are those of the OpenAI API; of several turns of the assistant the last counts.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, BadRow):
        raise value
    if value is None:
        raise BadRow("response: a text or a list of chat messages, got None: no completion came")
    for message in reversed(_messages(value, "response")):
        if message.get("role") == "assistant":
            said = _content(message, "response")
            thought = next((message[name] for name in THOUGHTS if message.get(name)), None)
            return f"<think>{thought}</think>{said}" if thought else said
    return ""


def prompt_text(value: object) -> str:
    """What the user asked, without system messages and earlier answers. Raises BadRow."""
    if isinstance(value, str) or value is None:
        return value or ""
    asked = [
        _content(message, "prompt")
        for message in _messages(value, "prompt")
        if message.get("role") == "user"
    ]
    return "\n\n".join(asked)


def _messages(value: object, field: str) -> list[Mapping[str, Any]]:
    # A numpy array of messages comes from a Parquet file.
    value = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(value, list | tuple) or not all(isinstance(one, Mapping) for one in value):
        raise BadRow(f"{field}: a text or a list of chat messages, got {reprlib.repr(value)}")
    return list(value)


def _content(message: Mapping[str, Any], field: str) -> str:
    content = message.get("content")
    if content is None or isinstance(content, str):
        return content or ""
    parts = content if isinstance(content, list | tuple) else [content]
    texts = [part.get("text") if isinstance(part, Mapping) else part for part in parts]
    if not all(text is None or isinstance(text, str) for text in texts):
        got = reprlib.repr(content)
        raise BadRow(f"{field}: a message's content is a text or a list of parts, got {got}")
    return "".join(text for text in texts if text)
