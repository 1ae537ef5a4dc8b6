"""What tells two runs of programs to be equal, and their outcomes as bytes.

Invariant: two items share an outcome only if everything that went into it is equal: program,
tests, limits, checkers, toolchains, what programs find in the sandbox, and the verifier itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from google.protobuf.message import DecodeError

from sandbox.v1 import sandbox_pb2 as sb
from verifier import metrics
from verifier.code.judges import language_of
from verifier.kept.once import Kept, Once
from verifier.kept.sources import fingerprint
from verifier.outcome import TaskOutcome
from verifier.v1 import verifier_pb2 as pb

NO_WORLD = b""
"""Of a verifier whose outcomes stay in its own memory."""


def outcomes(kept: Kept | None = None) -> Once[TaskOutcome]:
    """Outcomes in this process's memory, and in a file where there is one."""
    return Once(pack, unpack, lambda how: metrics.CACHE_LOOKUPS.labels("code", how).inc(), kept)


def world(info: sb.DescribeResponse) -> bytes:
    """A hash of what decides outcomes beside the item: this verifier, and what the sandbox gives
    its programs. Toolchains are left out: the key has those that the item uses."""
    digest = hashlib.sha256(fingerprint())
    mechanisms = [(each.name, each.in_force) for each in info.mechanisms]
    limits = info.default_limits.SerializeToString(deterministic=True)
    digest.update(repr((info.version, info.tier, mechanisms, limits)).encode())
    return digest.digest()


def key(
    task: pb.CodeTask,
    program: str,
    toolchains: Mapping[str, str],
    world: bytes,
    measure_speed: bool,
    probed: bool,
) -> bytes:
    """A hash of all that decides the outcome of a program on the tests of a task.

    `toolchains` are by language, `world` is that of the server, `probed` tells that the program
    is run again in another order when it is accepted.
    """
    wanted = pb.CodeTask()
    wanted.CopyFrom(task)
    # How the program was found is no matter, only what it is.
    wanted.ClearField("extraction")
    wanted.program = program
    used = [task.language]
    for given, program_of_judge in (
        (task.HasField("checker_program"), task.checker_program),
        (task.HasField("interactor"), task.interactor),
    ):
        used.append(language_of(program_of_judge) if given else "")
    versions = [toolchains.get(name, "") for name in used]
    digest = hashlib.sha256(wanted.SerializeToString(deterministic=True))
    digest.update(repr(("code", versions, world, measure_speed, probed)).encode())
    return digest.digest()


def pack(outcome: TaskOutcome) -> bytes:
    """An outcome whose status is OK, without what is an item's own."""
    part = pb.Part(score=outcome.score, reason=outcome.reason, detail=outcome.detail)
    verdict = pb.Verdict(
        status=outcome.status,
        parts=[part],
        evidence=outcome.evidence,
        provenance=pb.Provenance(sandbox_tier=outcome.sandbox_tier),
    )
    return verdict.SerializeToString()


def unpack(packed: bytes) -> TaskOutcome:
    """The outcome that was packed. Raises ValueError for other bytes."""
    try:
        verdict = pb.Verdict.FromString(packed)
    except DecodeError as error:
        raise ValueError("no outcome") from error
    if verdict.status != pb.Verdict.OK or len(verdict.parts) != 1:
        raise ValueError("no outcome that may be kept")
    (part,) = verdict.parts
    return TaskOutcome(
        status=verdict.status,
        reason=part.reason,
        score=part.score,
        detail=part.detail,
        evidence=verdict.evidence,
        sandbox_tier=verdict.provenance.sandbox_tier,
    )
