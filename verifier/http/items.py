"""Items and batches of items in the contract's JSON mapping. Pure."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException

from verifier import jsonl
from verifier.http.body import load
from verifier.http.words import shown, sound
from verifier.v1 import verifier_pb2 as pb
from verifier.wire import Unreadable

Items = list[pb.Item | Unreadable]


def read_item(raw: bytes) -> pb.Item:
    """The item of a body. Raises HTTPException naming the field."""
    value = load(raw)
    if not isinstance(value, dict):
        raise HTTPException(400, f"body: an item as a JSON object is wanted, got {shown(value)}")
    try:
        return jsonl.parsed(value, pb.Item())
    except ValueError as error:
        raise HTTPException(400, sound(str(error))) from None


def read_batch(raw: bytes, most: int) -> Items:
    """The items of a body that is a `Batch`; one that is none costs only its own verdict.

    Raises HTTPException for what is no batch, and beyond `most` items.
    """
    value = load(raw)
    if not isinstance(value, dict) or value.keys() != {"items"}:
        raise HTTPException(400, f'body: {{"items": [...]}} is wanted, got {shown(value)}')
    given = value["items"]
    if not isinstance(given, list):
        raise HTTPException(400, f"items: a list is wanted, got {shown(given)}")
    if len(given) > most:
        raise HTTPException(400, f"items: at most {most} items, got {len(given)}")
    return [item_of(one, f"items[{place}]") for place, one in enumerate(given)]


def item_of(value: Any, path: str) -> pb.Item | Unreadable:
    """The item of a value, or what is wrong with it."""
    if not isinstance(value, dict):
        return Unreadable("", f"{path}: an object, got {shown(value)}")
    try:
        return jsonl.parsed(value, pb.Item(), path)
    except ValueError as error:
        name = value.get("id")
        return Unreadable(sound(name) if isinstance(name, str) else "", sound(str(error)))
