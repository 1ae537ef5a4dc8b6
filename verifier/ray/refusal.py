"""Why a replica ends a call, as one text.

Ray passes on a failed call's code and details, and drops its trailing metadata, which tells a
client when to come again. So they travel in the details, from the replica to the proxy.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

PUSHBACK = "grpc-retry-pushback-ms"
"""Trailing metadata by which gRPC's own retries wait."""

_MARK = "\x1e"

DETAILS_CHARS = 3_000
"""Kept of a reason: Ray cuts details at 4,096, and the metadata stand at the end."""


@dataclass(frozen=True)
class Refusal:
    """What a client is told besides the code."""

    details: str
    trailing: tuple[tuple[str, str], ...] = ()

    def text(self) -> str:
        return self.details[:DETAILS_CHARS] + _MARK + json.dumps(self.trailing)

    @classmethod
    def read(cls, text: str) -> Refusal:
        """The refusal in a text; of a text of Ray's own, that text."""
        details, mark, trailing = text.rpartition(_MARK)
        if not mark:
            return cls(text)
        return cls(details, tuple((key, value) for key, value in json.loads(trailing)))
