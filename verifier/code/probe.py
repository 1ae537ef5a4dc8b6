"""A second look at accepted programs: the same tests in another order, other random numbers.

A program that keeps count of its tests, or got through by luck, gives another result then. The
share that is looked at is chosen by the program and its tests, so the same item always is or
never is.
"""

from __future__ import annotations

import hashlib
import logging
import random

from verifier.code.grading import Grading, is_failure
from verifier.code.order import History
from verifier.code.runs import Runs, SandboxFailed
from verifier.v1 import verifier_pb2 as pb

log = logging.getLogger(__name__)


def chosen(program: str, task: pb.CodeTask, share: float) -> bool:
    """Whether this program is among the share, 0 to 1, that is run again."""
    if share <= 0:
        return False
    digest = hashlib.sha256(program.encode() + str(len(task.tests)).encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


async def again(runs: Runs, task: pb.CodeTask, evidence: pb.CodeEvidence) -> None:
    """Runs all tests in another order and flags what differs.

    The verdict stands whatever comes of it: where the sandbox fails now, or the item's time is
    over, the program is not probed.
    """
    places = list(range(len(task.tests)))
    random.Random(len(runs.program)).shuffle(places)
    shuffled = pb.CodeTask()
    shuffled.CopyFrom(task)
    del shuffled.tests[:]
    shuffled.tests.extend(task.tests[place] for place in places)
    shuffled.order = pb.CodeTask.AS_GIVEN
    grading = Grading(runs, shuffled)
    try:
        await grading.run(History())
    except SandboxFailed as failure:
        log.warning("item %r was not probed: %s", runs.item_id, failure.message)
        return
    evidence.probed = True
    for place, result in zip(places, grading.results, strict=True):
        if is_failure(result.reason):
            name = task.tests[place].id or str(place)
            reason = pb.Part.Reason.Name(result.reason)
            evidence.flags.add(
                kind=pb.Flag.unstable,
                detail=f"accepted, then in another order test {name}: {reason}",
            )
            return
