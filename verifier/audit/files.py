"""The files of records: one that grows, and those that are full.

`audit.jsonl` grows; when it is full, or at the next start, it gets a name of its own by the time
(UTC), `audit.20260131-235959-999.jsonl`, which none before it had, wherever that was moved since.
Asked for `audit.parquet`, a full one becomes `audit.20260131-235959-999.parquet`: a Parquet file
cannot be read before it is closed, so what is new stands in JSON Lines until then, and a kill costs
no more than it does there: what had not reached the system yet, and a last line that is cut.

Invariants: a record stands in a file as a whole line, once, or the writing failed with OSError and
nothing of it is there; one process at a time writes a file.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from verifier.audit.records import EPOCH, MILLISECOND, split
from verifier.limits import MIB

SUFFIXES = (".jsonl", ".parquet")

GROUP_BYTES = 8 * MIB
"""JSON Lines of one row group: what making and reading a file holds in memory."""


BEGINNING = b'{"at": '
"""Of every file that `write_record` has written."""


class NotOurs(OSError):
    """Another process writes the file, or something else is in it."""


class Files:
    """Where lines go. Every method but `close` raises OSError when the disk does.

    `tell` gets what there is to say of a full file that could not be made Parquet, from a thread.
    """

    def __init__(self, path: Path, most: int, tell: Callable[[str], None]) -> None:
        """`path` ends in one of SUFFIXES; a file of more than `most` bytes is full."""
        self.growing = path.with_suffix(".jsonl")
        self._parquet = path.suffix == ".parquet"
        self._most = most
        self._tell = tell
        self._file: int | None = None
        self._size = 0
        self._last = EPOCH
        # One at a time, beside the writing of new lines.
        self._making = ThreadPoolExecutor(1) if self._parquet else None
        left = self._full()  # of a server that was killed before they were Parquet
        self._open()
        for full in left:
            self._make(full)

    def write(self, lines: Sequence[bytes]) -> int:
        """Writes the first lines, as many as the file has room for and at least one.

        Returns how many; raises OSError when there are none.
        """
        if self._file is None or not self._is_there(self._file):
            self._open()
        if self._size and self._size + len(lines[0]) > self._most:
            self._rotate()
        count, size = 0, 0
        for line in lines:
            if count and self._size + size + len(line) > self._most:
                break
            count, size = count + 1, size + len(line)
        assert self._file is not None
        try:
            _write_all(self._file, lines[0] if count == 1 else b"".join(lines[:count]))
        except OSError:
            with suppress(OSError):  # else a cut line stays, at the end of a file
                os.ftruncate(self._file, self._size)
            self._let_go()
            raise
        self._size += size
        return count

    def close(self) -> None:
        """Ends the file; of a Parquet name, waits until all of it is Parquet."""
        if self._parquet and self._file is not None:
            try:
                if self._size:
                    self._rotate(last=True)
                else:
                    self.growing.unlink()
            except OSError as error:
                self._tell(f"{self.growing}: {error}")
        self._let_go()
        if self._making is not None:
            self._making.shutdown()

    def _open(self) -> None:
        """A new file; one that is there already with something in it is full."""
        self._let_go()
        while True:
            file = os.open(self.growing, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(file)
                why = f"{self.growing}: another process writes it ({error.strerror})"
                raise NotOurs(why) from error
            self._file, self._size = file, os.fstat(file).st_size
            if not self._is_there(file):
                self._let_go()  # who wrote it gave it another name in this moment
            elif self._size:
                self._check()
                self._rotate(last=True)
            else:
                return

    def _check(self) -> None:
        """What begins otherwise is somebody's data, and no file of records."""
        with self.growing.open("rb") as there:
            found = there.read(len(BEGINNING))
        if not BEGINNING.startswith(found):
            self._let_go()
            raise NotOurs(f"{self.growing}: holds something else than records, got {found!r}")

    def _is_there(self, file: int) -> bool:
        """Whether the file that is open is the one of that name."""
        try:
            return os.path.samestat(os.stat(self.growing), os.fstat(file))
        except FileNotFoundError:
            return False

    def _rotate(self, last: bool = False) -> None:
        full = self._unused()
        os.rename(self.growing, full)
        self._let_go()
        self._make(full)
        if not last:
            self._open()

    def _let_go(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)
        self._file, self._size = None, 0

    def _full(self) -> list[Path]:
        """Full ones that are JSON Lines."""
        name = re.compile(re.escape(self.growing.stem) + r"\.[0-9]{8}-[0-9]{6}-[0-9]{3}\.jsonl")
        return sorted(one for one in self.growing.parent.iterdir() if name.fullmatch(one.name))

    def _unused(self) -> Path:
        """A name for a full one, later than the last."""
        self._last = max(datetime.now(UTC), self._last + MILLISECOND)
        while True:
            stamp = self._last.strftime("%Y%m%d-%H%M%S-%f")[:-3]
            name = self.growing.with_name(f"{self.growing.stem}.{stamp}.jsonl")
            if not (name.exists() or name.with_suffix(".parquet").exists()):
                return name
            self._last += MILLISECOND

    def _make(self, full: Path) -> None:
        if self._making is not None:
            # A defect of ours is an error in the log, not a future that nobody asks.
            self._making.submit(self._made, full).add_done_callback(lambda made: made.result())

    def _made(self, full: Path) -> None:
        from pyarrow import ArrowException

        part = full.with_suffix(".part")
        try:
            cut = to_parquet(full, part)
            os.replace(part, full.with_suffix(".parquet"))
            full.unlink()
        except (OSError, ValueError, ArrowException) as error:
            self._tell(f"{full} stays as it is, no Parquet could be made of it: {error}")
            with suppress(OSError):
                part.unlink()
            return
        if cut:
            self._tell(f"{full}: its last line was cut and is left out of the Parquet file")


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def to_parquet(source: Path, target: Path) -> bool:
    """Writes the records of a JSON Lines file as Parquet; says whether the last line was cut.

    Row groups hold about GROUP_BYTES of JSON, which bounds the memory that reading takes. Raises
    OSError, ArrowException, and ValueError at a line that is not JSON and not cut.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = pa.string()
    schema = pa.schema(
        [
            ("at", pa.timestamp("ms", tz="UTC")), ("server", text), ("id", text), ("task", text),
            ("status", text), ("reward", pa.float64()), ("reason", text),
            ("verifier_version", text), ("item", text), ("verdict", text),
        ]
    )  # fmt: skip
    # Of whole items and verdicts neither a dictionary nor a least and a greatest is of use.
    told = schema.names[:-2]
    options = {"compression": "zstd", "use_dictionary": told, "write_statistics": told}
    cut = False
    with source.open("rb") as lines, pq.ParquetWriter(target, schema, **options) as out:

        def write(rows: list[dict[str, Any]]) -> None:
            out.write_table(pa.Table.from_pylist(rows, schema))

        rows, size = list[dict[str, Any]](), 0
        for number, line in enumerate(lines, 1):
            try:
                rows.append(_row(line.decode()))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                if line.endswith(b"\n"):
                    raise ValueError(f"line {number} is no record: {error}") from error
                cut = True
            size += len(line)
            if size >= GROUP_BYTES:
                write(rows)
                rows, size = [], 0
        if rows:
            write(rows)
    return cut


def _row(line: str) -> dict[str, Any]:
    """The columns of a line that `write_record` gave; what is often asked for has its own."""
    head, item, told = split(line)
    verdict = json.loads(told)
    parts, provenance = verdict["parts"], verdict.get("provenance", {})
    return {
        "at": datetime.fromisoformat(head["at"]),
        "server": head["server"],
        "id": verdict["id"],
        "task": provenance.get("verifier"),
        "status": verdict["status"],
        "reward": None if verdict["reward"] is None else float(verdict["reward"]),
        "reason": parts[0]["reason"] if parts else None,
        "verifier_version": provenance.get("verifier_version"),
        "item": None if item == "null" else item,
        "verdict": told,
    }
