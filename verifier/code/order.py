"""Which test of a problem to run first: the one that most programs failed so far.

Learned per problem, as long as programs for it keep coming; forgotten with the least recently
used problems. It changes how much work a failing program costs, never a score.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from cachetools import LRUCache

from verifier.v1 import verifier_pb2 as pb

PROBLEMS = 4_096
"""Problems remembered: several of the largest batches' worth, a few hundred bytes each."""


class History:
    """How often each test of each problem failed a program."""

    def __init__(self) -> None:
        self._failures: LRUCache[bytes, Counter[int]] = LRUCache(PROBLEMS)

    @staticmethod
    def problem(task: pb.CodeTask) -> bytes:
        """The same for tasks with the same tests."""
        digest = hashlib.sha256()
        for test in task.tests:
            digest.update(test.SerializeToString(deterministic=True))
        return digest.digest()

    def ordered(self, problem: bytes, places: Sequence[int]) -> list[int]:
        """The places, those that failed most often first, else as given."""
        failures = self._failures.get(problem, Counter())
        return sorted(places, key=lambda place: -failures[place])

    def learn(self, problem: bytes, failed: Sequence[int]) -> None:
        """Notes the tests that a program failed."""
        if failed:
            self._failures.setdefault(problem, Counter()).update(failed)
