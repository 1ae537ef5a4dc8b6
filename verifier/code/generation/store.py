"""The file of items: appended to, one whole line at a time, and read again to go on.

What a killed run left of its last line is removed; a file that holds anything
but items is refused and stays as it is.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType

from google.protobuf import json_format

from verifier import jsonl
from verifier.v1 import verifier_pb2 as pb

BEGINNING = b'{"id": "'
"""Of every line written here."""


class NotOurs(Exception):
    """The file holds something else than items; nothing was changed."""


class Store:
    """`with Store(path) as store: ... store.write(item)`. Raises NotOurs and OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.ids: set[str] = set()
        """The items that are there."""
        self.repaired = False
        """A half-written line was removed."""

    def __enter__(self) -> Store:
        self._file = self._path.open("a+b")
        try:
            self._recover()
        except BaseException:
            self._file.close()
            raise
        return self

    def _recover(self) -> None:
        self._file.seek(0)
        whole = number = 0
        for number, line in enumerate(self._file, 1):
            read = jsonl.read_item(number, line) if line.strip() else None
            if isinstance(read, pb.Item):
                self.ids.add(read.id)
            elif read is not None:
                part = line[: len(BEGINNING)]
                if line.endswith(b"\n") or not BEGINNING.startswith(part):
                    raise NotOurs(f"holds no items: {read.message}")
                self.repaired = True
                break
            whole += len(line)
        if self.repaired:
            self._file.truncate(whole)
        elif whole and not line.endswith(b"\n"):
            self._file.write(b"\n")
        self._file.flush()

    def write(self, item: pb.Item) -> None:
        value = json_format.MessageToDict(item, preserving_proto_field_name=True)
        line = json.dumps({"id": item.id} | value, ensure_ascii=False).encode() + b"\n"
        self._file.write(line)
        self._file.flush()
        os.fsync(self._file.fileno())  # hours of work of others stand in it
        self.ids.add(item.id)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
