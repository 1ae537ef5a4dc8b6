"""Log lines that say whose they are: of which item, task, request, caller and trace.

Invariants: one line is one record, whatever is in its texts: control characters are written as
escapes, also in ids, messages and traces of exceptions; an id takes ID_CHARS at most. What a line
is about travels in context variables, and is looked at only when a line is written.
"""

from __future__ import annotations

import itertools
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

from pythonjsonlogger.json import JsonFormatter

from sandbox import tracing
from verifier.terminal import printable
from verifier.v1 import verifier_pb2 as pb
from verifier.wire import Unreadable

Format = Literal["text", "json"]
FORMATS: tuple[Format, ...] = ("text", "json")

ID_CHARS = 200
"""What a line keeps of an id that a client chose."""

REQUEST_HEADER = "x-request-id"
"""What a client calls its request, if it does."""

FIELDS = ("item", "task", "request", "caller", "trace")
"""What is added to a line, where it is known."""

_item: ContextVar[tuple[str, str]] = ContextVar("item", default=("", ""))
_asked: ContextVar[tuple[str, str]] = ContextVar("asked", default=("", ""))
_numbers = itertools.count(1)


def configure(level: str, form: Format = "text") -> None:
    """Sends the log of this process to standard error. `level` is a name that logging knows."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_added)
    handler.setFormatter(_json() if form == "json" else _Text())
    root = logging.getLogger()
    for other in root.handlers[:]:
        root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel(level)


@contextmanager
def about(item: pb.Item | Unreadable) -> Iterator[None]:
    """Lines written in the block, and by tasks begun there, are about this item."""
    task = item.WhichOneof("task") if isinstance(item, pb.Item) else None
    token = _item.set((item.id[:ID_CHARS], task or ""))
    try:
        yield
    finally:
        _item.reset(token)


def asked(caller: str, metadata: Mapping[str, str] | None = None) -> None:
    """Lines written from now on in this task, and by tasks it begins, are about a request of this
    caller's. It has the name that the client gave it, else a number of ours."""
    named = (metadata or {}).get(REQUEST_HEADER, "")[:ID_CHARS]
    _asked.set((named or f"{os.getpid()}-{next(_numbers)}", caller[:ID_CHARS]))


def carried() -> dict[str, str]:
    """What lines are about, for another process of this server."""
    request, caller = _asked.get()
    return {"request": request, "caller": caller} if request else {}


def go_on(carrier: Mapping[str, str]) -> None:
    """Lines written from now on in this task are about what `carried` said."""
    _asked.set((carrier.get("request", ""), carrier.get("caller", "")))


@contextmanager
def carried_on(carrier: Mapping[str, str]) -> Iterator[None]:
    """Lines written in the block are about what `carried` said in the other process."""
    token = _asked.set((carrier.get("request", ""), carrier.get("caller", "")))
    try:
        yield
    finally:
        _asked.reset(token)


def _added(record: logging.LogRecord) -> bool:
    for name, value in zip(FIELDS, (*_item.get(), *_asked.get(), tracing.trace_id()), strict=True):
        if value:
            setattr(record, name, value)
    return True


def _json() -> logging.Formatter:
    # Not-ASCII is escaped: U+2028 and lone surrogates break lines or readers elsewhere.
    return JsonFormatter(
        ("levelname", "name", "message", "process"),
        timestamp="time",
        rename_fields={
            "levelname": "level",
            "name": "logger",
            "process": "pid",
            "exc_info": "exception",
            "stack_info": "stack",
        },
        json_ensure_ascii=True,
    )


class _Text(logging.Formatter):
    """`time LEVEL logger message [item='...' ...]`; further lines are a trace's, indented."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        fields = [f"{name}={getattr(record, name)!r}" for name in FIELDS if hasattr(record, name)]
        line = super().formatMessage(record)
        return printable(f"{line} [{' '.join(fields)}]" if fields else line)

    def formatException(self, ei: object) -> str:
        text = super().formatException(ei)  # type: ignore[arg-type]
        return "\n".join(f"  {printable(line)}" for line in text.split("\n"))

    def formatStack(self, stack_info: str) -> str:
        return "\n".join(f"  {printable(line)}" for line in stack_info.split("\n"))
