"""Rows of the data sets, and all programs of a set judged in one call."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb

Row = dict[str, Any]

LIMITS = (pb.Part.cpu_limit, pb.Part.wall_limit)


def rows(path: Path) -> list[Row]:
    """The rows of a JSON Lines file, compressed or not."""
    raw = path.read_bytes()
    text = gzip.decompress(raw) if path.suffix == ".gz" else raw
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def judge(server: EmbeddedServer, items: Iterable[pb.Item]) -> dict[str, pb.Verdict]:
    """The verdicts by id. Fails when an item has none: a failure of ours is no rejection."""
    asked = list(items)
    with VerifierClient(server.address) as client:
        verdicts = {verdict.id: verdict for verdict in client.verify(asked)}
    assert len(verdicts) == len(asked), "ids repeat"
    for verdict in verdicts.values():
        assert verdict.status == pb.Verdict.OK, told(verdict)
    return verdicts


def accepted(verdict: pb.Verdict) -> bool:
    return verdict.reward == 1.0


def told(verdict: pb.Verdict) -> str:
    """The verdict in one line, for a person who reads that a test failed."""
    found = [
        f"{pb.Part.Reason.Name(test.reason)} {test.detail} got {test.got!r} expected {test.expected!r}"
        for test in verdict.evidence.code.tests
        if test.reason not in (pb.Part.accepted, pb.Part.not_run)
    ]
    reasons = [f"{pb.Part.Reason.Name(part.reason)}: {part.detail}" for part in verdict.parts]
    said = [*reasons, verdict.evidence.message, *found[:1], verdict.evidence.code.diagnostics]
    return f"{verdict.id}: {' | '.join(text for text in said if text)}"[:800]
