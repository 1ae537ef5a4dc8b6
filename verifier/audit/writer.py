"""The process that writes records: frames on standard input; says what became of them.

A process of its own, because JSON takes ten times as long as the frame, and because a write to a
dead disk may never return: the server can leave it behind. It ends when its input closes, however
the server ended, and has then written all that had come.

While the file cannot be written it tries again each second and reads no further, so that the
server's bounded queue is the one place where records are dropped; when its input has closed
meanwhile, it tries once more and says how many are lost.

Said, one JSON object a line: {"refused": why} or {"ready": true}, then {"written": records},
{"failing": why}, {"lost": records}, {"note": text}.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from verifier._version import VERSION
from verifier.audit.files import Files
from verifier.audit.records import Frame, of_frame, unpack, write_record
from verifier.limits import MIB

RETRY_MS = 1_000

READ_BYTES = 1 * MIB

GC_OBJECTS = 50_000
"""As in the server: JSON is made of objects that form no cycles."""


def main() -> None:
    path, most = Path(sys.argv[1]), int(sys.argv[2])
    # What stops the server may go to the whole group; there is still something to write then.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    gc.set_threshold(GC_OBJECTS)
    try:
        files = Files(path, most, lambda text: _say("note", text))
    except OSError as error:
        _say("refused", str(error))
        return
    _say("ready", True)
    for frames in _received():
        _store([write_record(of_frame(frame, VERSION)) for frame in frames], files)
    files.close()


def _received() -> Iterator[list[Frame]]:
    """Frames as they come, some at a time."""
    held = bytearray()
    while data := os.read(0, READ_BYTES):
        held += data
        if frames := list(unpack(held)):
            yield frames


def _store(lines: list[bytes], files: Files) -> None:
    tried_after_end = False
    while lines:
        try:
            count = files.write(lines)
        except OSError as error:
            _say("failing", str(error))
            if tried_after_end:
                _say("lost", len(lines))
                return
            tried_after_end = _closed_within(RETRY_MS)
        else:
            _say("written", count)
            del lines[:count]


def _closed_within(milliseconds: int) -> bool:
    """Waits so long, or until nobody holds the other end of the input; whether that is so."""
    poll = select.poll()
    poll.register(0, 0)  # that alone: what there is to read does not end the waiting
    return bool(poll.poll(milliseconds))


def _say(key: str, value: object) -> None:
    with suppress(OSError):  # the server is gone
        os.write(1, json.dumps({key: value}).encode() + b"\n")


if __name__ == "__main__":
    main()
